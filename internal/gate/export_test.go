package gate

import (
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// SetLimits lets a test wait less for what does not end.
func (s *Service) SetLimits(l rego.Limits) { s.limits = l }

// Decide is what a gate says when its policies, one a rule, have these modes and outcomes.
func Decide(modes []gatepolicy.Mode, outcomes []Outcome) (string, string) {
	var policies []*EvaluatedPolicy
	var results []*RuleResult
	for i, mode := range modes {
		p := &EvaluatedPolicy{Name: "p", Mode: mode}
		policies = append(policies, p)
		results = append(results, &RuleResult{Policy: p, Rule: &EvaluatedRule{Name: "r"}, Outcome: outcomes[i]})
	}
	decision, explanation := decide(Gate{Stage: "QA", Kind: gatepolicy.GateKindENTRY}, policies, results)
	return string(decision), explanation
}

// Backtests is how many back-tests run.
func (s *Service) Backtests() int { return len(s.backtests) }

// Sized is a cache of byte slices as tests see it.
func Sized(maxBytes int) (add func(string, []byte), get func(string) bool) {
	c := newSized(maxBytes, weigh)
	return c.add, func(name string) bool { _, ok := c.get(name); return ok }
}
