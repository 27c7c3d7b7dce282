// Package fault names the kinds of failure that a caller can do something about. Anything that is not a fault.Error
// is a defect or an outage: it is logged, masked and given a reference.
package fault

import "fmt"

// Kind is the machine-readable reason of a failure, sent as extensions.code.
type Kind string

// The kinds of failure. A gate that says no is none of them: it is an answer.
const (
	BadInput           Kind = "BAD_USER_INPUT"
	Unauthenticated    Kind = "UNAUTHENTICATED"
	Forbidden          Kind = "FORBIDDEN"
	NotFound           Kind = "NOT_FOUND"
	Conflict           Kind = "CONFLICT"
	FailedPrecondition Kind = "FAILED_PRECONDITION"
	ResourceExhausted  Kind = "RESOURCE_EXHAUSTED"
)

// Error is an expected failure: what kind, what to tell the caller, and which input field it is about.
type Error struct {
	Kind    Kind
	Message string
	// Path leads from the mutation's argument to the offending field, e.g. "input.sources.packages.0.purl". Empty when the
	// failure is about no single field.
	Path string
	// Details are further machine-readable facts, e.g. {"currentStage": "QA"}. They must be safe to show to the caller.
	Details map[string]any
}

// Error implements the error interface with the message and the path.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// New makes a fault of a kind that concerns no single field.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// At makes a BAD_USER_INPUT fault for the field at path.
func At(path, format string, args ...any) *Error {
	return &Error{Kind: BadInput, Path: path, Message: fmt.Sprintf(format, args...)}
}

// With returns the fault with one more detail.
func (e *Error) With(key string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[key] = value
	return e
}
