package waiver

import (
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
)

// RequestWaiverInput is a waiver to ask for: about a policy or a rule.
type RequestWaiverInput struct {
	Policy, Rule        *string
	ApplicationKey      string
	Version             *string
	Code, Subject       *string
	Vulnerability, Purl *string
	Justification       string
	ExpiresAt           time.Time
}

// DecideWaiverInput is a decision about a waiver.
type DecideWaiverInput struct {
	ID      string
	Approve bool
	Comment *string
}

// CancelWaiverInput is a request to take back.
type CancelWaiverInput struct{ ID string }

// RevokeWaiverInput is a waiver to end.
type RevokeWaiverInput struct{ ID, Reason string }

// WaiverFilter says which waivers to list. What is given must all hold; of the values in one list, one.
type WaiverFilter struct {
	ApplicationKeys []string
	States          []string
	Policy, Rule    *string
	ExpiringBefore  *time.Time
}

// Waived is what waivers covered: one of them, in one version, one violation.
type Waived struct {
	Waiver    *db.Waiver
	VersionID int
	Violation OverriddenViolation
	// EvaluationIDs are the rows of the decisions, newest first.
	EvaluationIDs []int
}

// OverriddenViolation is a violation that a waiver covered.
type OverriddenViolation struct {
	Code, Subject       string
	Vulnerability, Purl *string
}
