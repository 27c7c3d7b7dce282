package policy

import (
	"context"
	"encoding/json"
	"errors"
)

// CheckRegoInput is Rego to look at.
type CheckRegoInput struct {
	Rego             string
	ParametersSchema json.RawMessage
	Tests            *string
}

// RegoCheck is what is wrong with Rego.
type RegoCheck struct {
	Ok        bool
	Problems  []*RegoProblem
	Formatted *string
	Tests     []*RegoTestResult
}

// RegoProblem is something that is wrong with Rego.
type RegoProblem struct {
	Kind, Message string
	// Row and Column count from 1.
	Row, Column *int
	// Pointer is a JSON pointer (RFC 6901).
	Pointer *string
}

// RegoTestResult is what a unit test said.
type RegoTestResult struct {
	Name    string
	Passed  bool
	Message string
}

// CheckRego looks at Rego as CreateTemplate would.
func (s *Service) CheckRego(ctx context.Context, in CheckRegoInput) (*RegoCheck, error) {
	return nil, errors.New("todo")
}

// SentenceOf says in plain words what a policy asks.
func (s *Service) SentenceOf(ctx context.Context, policyID int) (string, error) {
	return "", errors.New("todo")
}
