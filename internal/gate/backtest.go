package gate

import (
	"context"
	"errors"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/internal/policy"
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
	EvaluationsConsidered int
	Flips                 []*PolicyFlip
	FlipCount             int
	Unreadable            int
	Digest                string
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

// Backtest says what a policy would have decided about what was decided already. It writes nothing.
func (s *Service) Backtest(ctx context.Context, in BacktestPolicyInput) (*PolicyBacktest, error) {
	return nil, errors.New("todo")
}
