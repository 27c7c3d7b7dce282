package rego

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// maxDepth bounds the nesting of an input, well below what makes a recursive reader run out of stack.
const maxDepth = 256

// Value is JSON that is parsed once and then shared: it never changes and may be used by many evaluations at once.
type Value struct{ v ast.Value }

// ParseValue reads exactly one JSON value (RFC 8259, without duplicate keys, at most 256 levels deep).
func ParseValue(json []byte) (Value, error) {
	if err := canonical.Check(json, maxDepth); err != nil {
		return Value{}, fmt.Errorf("parse a policy input: %w", err)
	}
	v, err := ast.ValueFromReader(bytes.NewReader(json))
	if err != nil {
		return Value{}, fmt.Errorf("parse a policy input: %w", err)
	}
	return Value{v}, nil
}

// Input is what a policy sees as input.
type Input struct{ v ast.Value }

var errNoInput = errors.New("the policy input is missing: build it with NewInput")

// NewInput makes an object of parts without parsing them again. A zero Value stands for null.
func NewInput(parts map[string]Value) Input {
	terms := make([][2]*ast.Term, 0, len(parts))
	for key, part := range parts {
		v := part.v
		if v == nil {
			v = ast.NullValue
		}
		terms = append(terms, [2]*ast.Term{ast.StringTerm(key), ast.NewTerm(v)})
	}
	return Input{ast.NewObject(terms...)}
}
