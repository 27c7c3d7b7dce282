package gate

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/plimsoll/plimsoll/internal/policy"
)

// TryPolicyInput is a rule to try, and what to try it on.
type TryPolicyInput struct {
	Rego           *string
	Parameters     json.RawMessage
	Rule           *string
	ApplicationKey *string
	Version        *string
	Gate           *policy.GateInput
	EvalID         *string
}

// PolicyTrial is what a rule said when it was tried.
type PolicyTrial struct {
	Outcome     Outcome
	Examined    []string
	Violations  []*Violation
	Error       *string
	Result      *string
	InputDigest string
}

// TryPolicy asks a rule about a version as it is, or about the input of a recorded decision.
func (s *Service) TryPolicy(ctx context.Context, in TryPolicyInput) (*PolicyTrial, error) {
	return nil, errors.New("todo")
}
