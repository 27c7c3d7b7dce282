package gate

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/ent/db"
)

// RequiredGate is a gate on the way to a stage, and what guards it.
type RequiredGate struct {
	Gate     *Gate
	Policies []*RequiredPolicy
}

// RequiredPolicy is a policy that guards a gate.
type RequiredPolicy struct {
	Policy  *db.GatePolicy
	Because string
	Rules   []*RequiredRule
}

// RequiredRule is a rule to meet. Satisfied and Outcome are nil without a version.
type RequiredRule struct {
	Name, Title, Sentence string
	Satisfied             *bool
	Outcome               *Outcome
	Missing               []*MissingPiece
}

// MissingPiece is something that a rule misses.
type MissingPiece struct {
	What, Command string
	Owner         *db.Owner
}

// Required says what a version, or any version, of an application has to meet to get to a stage; nil when there is no such
// application, version or stage for whoever asks.
func (s *Service) Required(ctx context.Context, application string, version *string, toStage string) ([]*RequiredGate, error) {
	return nil, errors.New("todo")
}
