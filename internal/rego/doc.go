// Package rego checks, compiles and evaluates policy templates written in Rego v1, with OPA as its engine.
//
// A template is one module. It defines two partial sets and may read input and data.parameters, nothing else:
//
//	examined contains ref   # a string for each thing it looked at
//	violations contains v   # {"code", "subject", "message"} and optionally "remediation", all strings
//
// What is promised:
//
//   - An evaluation is a pure function of source, parameters, input and capabilities. Built-ins that read the clock,
//     the network, randomness or the machine are refused when the template is checked, so stock opa gives the same
//     result on another machine, years later.
//   - An evaluation either answers completely or fails. A built-in error, a timeout, too much memory, an undefined
//     set or a value of another shape is an error, never an empty result that could be taken for a pass.
//   - An evaluation has a time and a memory bound.
//
// Bytes in, values out: the package knows neither the database nor the other engines. The gate is its caller.
package rego
