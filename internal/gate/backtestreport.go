package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// backtestReport gathers what a back-test finds, in the order of the decisions.
type backtestReport struct {
	PolicyBacktest
	// text is the hash of the report's canonical JSON as far as it is known: of more decisions than are told one by one, too.
	text hash.Hash
	// told is how many violations the flips so far have.
	told int
	// waiting are the flips of each version that still wait for an attempt that passes.
	waiting map[int][]*PolicyFlip
}

// flipText is a flip in the canonical JSON of a report.
type flipText struct {
	EvalID  string              `json:"eval_id"`
	Was     evaluation.Decision `json:"was"`
	WouldBe evaluation.Decision `json:"would_be"`
	Results []resultText        `json:"results"`
}

type resultText struct {
	Rule    string  `json:"rule"`
	Outcome Outcome `json:"outcome"`
	Result  *string `json:"result"`
}

func newBacktestReport() *backtestReport {
	r := &backtestReport{PolicyBacktest: PolicyBacktest{Flips: []*PolicyFlip{}}, text: sha256.New(), waiting: map[int][]*PolicyFlip{}}
	r.text.Write([]byte(`{"decisions":[`))
	return r
}

// add takes in the next decision.
func (r *backtestReport) add(a *again) (enough bool, err error) {
	r.settle(a)
	switch {
	case !a.readable:
		r.Unreadable++
		return false, nil
	case !a.applies:
		return false, nil
	}
	r.EvaluationsConsidered++
	if a.wouldBe == a.row.Decision {
		return false, nil
	}
	r.FlipCount++
	if err := r.write(a); err != nil {
		return false, err
	}
	for _, result := range a.results {
		r.told += len(result.Violations)
	}
	if len(r.Flips) == maxFlips || r.told > maxTold {
		return false, nil
	}
	f := &PolicyFlip{
		Evaluation: a.evaluation, Application: a.row.Edges.Version.Edges.Application, Version: a.row.Edges.Version,
		Was: a.row.Decision, WouldBe: a.wouldBe, Results: a.results,
	}
	r.Flips = append(r.Flips, f)
	if !a.open() {
		r.waiting[a.row.VersionID] = append(r.waiting[a.row.VersionID], f)
	}
	return false, nil
}

// settle ends the wait of a version's earlier flips when a later attempt would have passed.
func (r *backtestReport) settle(a *again) {
	if !a.open() {
		return
	}
	for _, f := range r.waiting[a.row.VersionID] {
		seconds := int(a.row.EvaluatedAt.Sub(f.Evaluation.EvaluatedAt) / time.Second)
		f.WaitedSeconds = &seconds
	}
	delete(r.waiting, a.row.VersionID)
}

func (r *backtestReport) write(a *again) error {
	t := flipText{EvalID: a.row.EvalID, Was: a.row.Decision, WouldBe: a.wouldBe, Results: make([]resultText, len(a.results))}
	for i, result := range a.results {
		t.Results[i] = resultText{result.Rule.Name, result.Outcome, result.Result}
	}
	b, err := canonical.JSON(t)
	if err != nil {
		return fmt.Errorf("write report of a back-test: %w", err)
	}
	if r.FlipCount > 1 {
		r.text.Write([]byte(","))
	}
	r.text.Write(b)
	return nil
}

// finish returns the report with its digest.
func (r *backtestReport) finish() *PolicyBacktest {
	fmt.Fprintf(r.text, `],"evaluations":%d,"unreadable":%d}`, r.EvaluationsConsidered, r.Unreadable)
	r.Digest = "sha256:" + hex.EncodeToString(r.text.Sum(nil))
	return &r.PolicyBacktest
}

// later looks, for the flips that still wait, at the attempts behind the time that was asked about.
func (b *backtest) later(ctx context.Context, to time.Time) error {
	for versions := range slices.Chunk(slices.Sorted(maps.Keys(b.report.waiting)), backtestPage) {
		left := len(versions)
		chosen := []predicate.Evaluation{evaluation.EvaluatedAtGTE(to), evaluation.VersionIDIn(versions...)}
		err := b.each(ctx, chosen, func(a *again) (bool, error) {
			if _, waits := b.report.waiting[a.row.VersionID]; waits && a.open() {
				b.report.settle(a)
				left--
			}
			return left == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
