package gate

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// Sources are the services that gates learn from.
type Sources struct {
	Evidence        *evidence.Service
	Policies        *policy.Service
	Vulnerabilities *vulnerability.Service
	Waivers         *waiver.Service
	Freezes         *freeze.Service
	Approvals       *approval.Service
}

// Service judges.
type Service struct {
	store  *store.Store
	now    func() time.Time
	limits rego.Limits
	parts  *partCache
	// backtests holds a place for each back-test that runs.
	backtests chan struct{}

	evidence        *evidence.Service
	policies        *policy.Service
	vulnerabilities *vulnerability.Service
	waivers         *waiver.Service
	freezes         *freeze.Service
	approvals       *approval.Service
}

// New returns the gate service; now is the clock that evaluations are made for.
func New(s *store.Store, from Sources, now func() time.Time) *Service {
	return &Service{
		store: s, now: now, limits: rego.DefaultLimits(), parts: newPartCache(), backtests: make(chan struct{}, maxBacktests),
		evidence: from.Evidence, policies: from.Policies, vulnerabilities: from.Vulnerabilities,
		waivers: from.Waivers, freezes: from.Freezes, approvals: from.Approvals,
	}
}
