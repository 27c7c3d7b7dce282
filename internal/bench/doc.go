// Package bench measures the service beside what it cannot be faster than, in the same run: a promotion beside its OPA
// evaluations alone, a page of contents beside its SQL alone. Evidence is measured in package evidence, transactions in
// package store, signatures in package attest. See docs/performance.md.
package bench
