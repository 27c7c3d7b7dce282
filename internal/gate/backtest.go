package gate

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
)

// Bounds of back-tests.
const (
	// backtestDays is how far back one looks that is not told, backtestYears how far one may look.
	backtestDays, backtestYears = 90, 5
	// maxFlips is how many decisions that would have been others are told one by one.
	maxFlips = 1000
	// maxTold bounds the violations of those that are told.
	maxTold = 100_000
	// maxBacktests is how many run at once: each takes what gates leave of every processor.
	maxBacktests = 2
	// backtestPage is how many decisions are read at once, backtestCache how many bytes of parsed inputs are kept meanwhile.
	backtestPage, backtestCache = 100, 96 << 20
)

// BacktestPolicyInput is what to try a policy as: one that is there with changes, or one that is not there yet.
type BacktestPolicyInput struct {
	Policy *string
	Mode   *string
	Rules  []string
	Draft  *policy.CreatePolicyInput
	From   *time.Time
	To     *time.Time
}

// PolicyBacktest is what a policy would have decided.
type PolicyBacktest struct {
	// EvaluationsConsidered are the decisions that were made again.
	EvaluationsConsidered int
	// Flips are the first decisions that would have been others, FlipCount is how many there are in all.
	Flips     []*PolicyFlip
	FlipCount int
	// Unreadable is how many decisions could not be made again.
	Unreadable int
	// Digest is that of the report; see docs/backtest.md.
	Digest string
}

// PolicyFlip is a decision that would have been another one.
type PolicyFlip struct {
	Evaluation    *Evaluation
	Application   *db.Application
	Version       *db.ApplicationVersion
	Was, WouldBe  evaluation.Decision
	WaitedSeconds *int
	Results       []*RuleResult
}

// Backtest says what a policy would have decided about what was decided already: each recorded decision of its gate that
// exists for the caller, and whose application it would have guarded as that was then, is made again on the input that was
// recorded, with what the other policies said and the waivers that were in force. It writes nothing, and stops when ctx ends.
//
// Faults: BAD_USER_INPUT for a question that is wrong, and for a draft as createPolicy gives them; NOT_FOUND for a policy that
// is not there; CONFLICT for a draft whose name is taken; RESOURCE_EXHAUSTED while others run.
func (s *Service) Backtest(ctx context.Context, in BacktestPolicyInput) (*PolicyBacktest, error) {
	if _, err := auth.From(ctx); err != nil {
		return nil, err
	}
	from, to, err := in.period(s.now().UTC())
	if err != nil {
		return nil, err
	}
	proposal, err := s.proposal(ctx, in)
	if err != nil {
		return nil, err
	}
	select {
	case s.backtests <- struct{}{}:
		defer func() { <-s.backtests }()
	default:
		return nil, fault.New(fault.ResourceExhausted, "%d back-tests run already, which is as many as may at once; try again when one has ended", maxBacktests)
	}
	b, err := s.newBacktest(ctx, proposal)
	if err != nil {
		return nil, err
	}
	during := []predicate.Evaluation{evaluation.EvaluatedAtGTE(from), evaluation.EvaluatedAtLT(to)}
	if err := b.each(ctx, during, b.report.add); err != nil {
		return nil, err
	}
	if err := b.later(ctx, to); err != nil {
		return nil, err
	}
	return b.report.finish(), nil
}

// period is the time that is asked about.
func (in BacktestPolicyInput) period(now time.Time) (from, to time.Time, err error) {
	to = now
	if in.To != nil {
		to = in.To.UTC()
	}
	from = to.AddDate(0, 0, -backtestDays)
	if in.From != nil {
		from = in.From.UTC()
	}
	switch {
	case !from.Before(to):
		return from, to, fault.At("input.from", "from must be before to; from is %s and to is %s", instant(from), instant(to))
	case from.Before(to.AddDate(-backtestYears, 0, 0)):
		return from, to, fault.At("input.from", "at most %d years are looked at; ask for a shorter time", backtestYears)
	}
	return from, to, nil
}

// proposal is the policy as it would be.
func (s *Service) proposal(ctx context.Context, in BacktestPolicyInput) (*policy.Proposal, error) {
	switch {
	case (in.Policy == nil) == (in.Draft == nil):
		return nil, fault.At("input", "give either policy, the name of one that is there, or draft, one that is not there yet")
	case in.Draft != nil && in.Rules != nil:
		return nil, fault.At("input.rules", "a draft says its rules; leave these out")
	}
	if in.Draft != nil {
		draft := *in.Draft
		if in.Mode != nil {
			draft.Mode = gatepolicy.Mode(*in.Mode)
		}
		return s.policies.Propose(ctx, draft)
	}
	mode := gatepolicy.ModeBLOCK
	if in.Mode != nil {
		mode = gatepolicy.Mode(*in.Mode)
	}
	return s.policies.ProposeChange(ctx, *in.Policy, mode, in.Rules)
}

// backtest is one that runs.
type backtest struct {
	s        *Service
	proposal *policy.Proposal
	kept     *keptCache
	// members are those of the input that the rules read; all of them when allMembers says so.
	members    map[string]bool
	allMembers bool
	workers    int
	report     *backtestReport
}

func (s *Service) newBacktest(ctx context.Context, p *policy.Proposal) (*backtest, error) {
	b := &backtest{s: s, proposal: p, kept: newKeptCache(s.store, backtestCache), members: map[string]bool{}, workers: runtime.GOMAXPROCS(0), report: newBacktestReport()}
	for _, rule := range p.Rules {
		compiled, err := s.policies.Compiled(ctx, rule)
		if err != nil {
			return nil, err
		}
		names, all := compiled.Members()
		b.allMembers = b.allMembers || all
		for _, name := range names {
			b.members[name] = true
		}
	}
	return b, nil
}

// each makes every decision of the gate again that is chosen and exists for the caller, and tells what came out of each, in
// the order of their rows, until tell says that it has heard enough.
func (b *backtest) each(ctx context.Context, chosen []predicate.Evaluation, tell func(*again) (enough bool, err error)) error {
	last := 0
	for {
		rows, err := b.page(ctx, chosen, last)
		if err != nil {
			return err
		}
		list, err := b.decide(ctx, rows)
		if err != nil {
			return err
		}
		for _, a := range list {
			enough, err := tell(a)
			if err != nil || enough {
				return err
			}
		}
		if len(rows) < backtestPage {
			return nil
		}
		last = rows[len(rows)-1].ID
	}
}

// page reads the next decisions, with the versions that they are about.
func (b *backtest) page(ctx context.Context, chosen []predicate.Evaluation, last int) ([]*db.Evaluation, error) {
	rows, err := b.s.store.Read().Evaluation.Query().
		Where(append([]predicate.Evaluation{
			evaluation.IDGT(last), evaluation.StageName(b.proposal.Gate.Stage), evaluation.GateKindEQ(evaluation.GateKind(b.proposal.Gate.Kind)),
		}, chosen...)...).
		WithVersion(func(v *db.ApplicationVersionQuery) {
			v.WithApplication(func(a *db.ApplicationQuery) {
				a.WithOwnerships(func(o *db.OwnershipQuery) { o.Where(ownership.UntilIsNil()).Order(ownership.ByOwnerID()) })
			})
		}).
		Order(evaluation.ByID()).Limit(backtestPage).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evaluations to make again: %w", err)
	}
	return rows, nil
}
