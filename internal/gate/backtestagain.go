package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// again is a recorded decision, made again.
type again struct {
	row *db.Evaluation
	// applies tells whether the policy would have guarded the application as it was, readable whether that could be found out.
	applies, readable bool
	evaluation        *Evaluation
	// wouldBe is the recorded decision where the policy does not apply. Results are those of the policy.
	wouldBe evaluation.Decision
	results []*RuleResult
}

// open tells whether the gate would have let the version through.
func (a *again) open() bool {
	return a.readable && (a.wouldBe == evaluation.DecisionPASS || a.wouldBe == evaluation.DecisionWARN)
}

// decide makes decisions again on every processor, and gives them in the order of the rows.
func (b *backtest) decide(ctx context.Context, rows []*db.Evaluation) ([]*again, error) {
	list := make([]*again, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.workers)
	for i, row := range rows {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			a, err := b.again(ctx, row)
			list[i] = a
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("back-test: %w", err)
	}
	return list, nil
}

// again makes one decision again. What is no longer kept, or was altered, makes it unreadable, which is no error.
func (b *backtest) again(ctx context.Context, row *db.Evaluation) (*again, error) {
	a := &again{row: row, wouldBe: row.Decision}
	if v := row.Edges.Version; v == nil || v.Edges.Application == nil {
		a.readable = true // it is of an application that does not exist for the caller
		return a, nil
	}
	e, err := FromRow(row)
	if err != nil {
		return a, nil //nolint:nilerr // it is counted
	}
	a.evaluation = e
	var refs []partRef
	if err := json.Unmarshal([]byte(row.InputParts), &refs); err != nil {
		return a, nil //nolint:nilerr // it is counted
	}
	because, applies, err := b.reaches(ctx, refs)
	if err != nil || because == "" {
		return a, err
	}
	if a.applies = applies; !applies {
		a.readable = true
		return a, nil
	}
	in, others, err := b.inputOf(ctx, e, refs)
	if err != nil || others == nil {
		return a, err
	}
	if a.results, err = b.ask(ctx, e, because, in); err != nil {
		return nil, err
	}
	all, policies := b.with(others, a.results, e)
	a.readable = true
	a.wouldBe, _ = decide(*e.Gate, policies, all)
	return a, nil
}

// unreached stands where a policy would not have guarded an application.
const unreached = "does not guard it"

// reaches tells whether the policy would have guarded the application as it stands in the input, and why; nothing when that
// cannot be read.
func (b *backtest) reaches(ctx context.Context, refs []partRef) (because string, applies bool, err error) {
	i := slices.IndexFunc(refs, func(r partRef) bool { return r.Key == "application" })
	if i < 0 {
		return "", false, nil
	}
	found, err := b.kept.load(ctx, []string{refs[i].Digest})
	if err != nil {
		return "", false, err
	}
	k := found[refs[i].Digest]
	if k == nil {
		return "", false, nil
	}
	var app applicationPart
	if err := json.Unmarshal(k.bytes, &app); err != nil {
		return "", false, nil //nolint:nilerr // it is counted
	}
	because, applies = b.proposal.Reaches(policy.Recorded{Project: app.Project, Key: app.Key, Criticality: app.Criticality, Labels: app.Labels})
	if !applies {
		because = unreached
	}
	return because, applies, nil
}

// inputOf puts the recorded input together, as far as the rules read it, and reads what the policies said; no results when
// something of it is missing or has another digest.
func (b *backtest) inputOf(ctx context.Context, e *Evaluation, refs []partRef) (rego.Input, []*RuleResult, error) {
	digests := []string{e.row.ResultsDigest}
	for _, ref := range refs {
		digests = append(digests, ref.Digest)
	}
	found, err := b.kept.load(ctx, digests)
	if err != nil {
		return rego.Input{}, nil, err
	}
	for _, d := range digests {
		if found[d] == nil {
			return rego.Input{}, nil, nil
		}
	}
	parts, values := make([]part, len(refs)), map[string]rego.Value{}
	for i, ref := range refs {
		parts[i] = part{key: ref.Key, digest: ref.Digest, kept: found[ref.Digest]}
		if !b.allMembers && !b.members[ref.Key] {
			continue
		}
		if values[ref.Key], err = found[ref.Digest].parsed(); err != nil {
			return rego.Input{}, nil, nil //nolint:nilerr // it is counted
		}
	}
	if inputDigest(parts) != e.InputDigest {
		return rego.Input{}, nil, nil
	}
	results := []*RuleResult{}
	if err := json.Unmarshal(found[e.row.ResultsDigest].bytes, &results); err != nil || e.attach(results) != nil {
		return rego.Input{}, nil, nil //nolint:nilerr // it is counted
	}
	return rego.NewInput(values), results, nil
}

// ask says what the rules of the policy say about a recorded input, with the waivers that were in force.
func (b *backtest) ask(ctx context.Context, e *Evaluation, because string, in rego.Input) ([]*RuleResult, error) {
	p := &EvaluatedPolicy{Name: b.proposal.Name, Revision: b.proposal.Revision, Mode: b.proposal.Mode, Because: because}
	sub := subjectOf(e.row)
	results := make([]*RuleResult, len(b.proposal.Rules))
	for i, rule := range b.proposal.Rules {
		r := b.s.judgeRule(ctx, sub, rule, in)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.Policy = p
		if b.proposal.Waivable {
			r.waive(e.Waivers)
		}
		p.Rules = append(p.Rules, r.Rule)
		results[i] = r
	}
	return results, nil
}

// subjectOf is the little of a subject that explaining a violation takes.
func subjectOf(row *db.Evaluation) *subject {
	sub := &subject{version: row.Edges.Version}
	for _, o := range sub.version.Edges.Application.Edges.Ownerships {
		sub.owners = append(sub.owners, &db.Owner{ID: o.OwnerID})
	}
	return sub
}

// with puts what the policy says beside what the others said. What it said itself, when it applied then, does not count.
func (b *backtest) with(recorded, own []*RuleResult, e *Evaluation) ([]*RuleResult, []*EvaluatedPolicy) {
	all := make([]*RuleResult, 0, len(recorded)+len(own))
	for _, r := range recorded {
		if r.Policy.Name != b.proposal.Name {
			all = append(all, r)
		}
	}
	policies := make([]*EvaluatedPolicy, 0, len(e.Policies)+1)
	for _, p := range e.Policies {
		if p.Name != b.proposal.Name {
			policies = append(policies, p)
		}
	}
	return append(all, own...), append(policies, own[0].Policy)
}
