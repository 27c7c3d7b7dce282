package gate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Evaluation returns a recorded evaluation, or nil when there is none for whoever asks.
func (s *Service) Evaluation(ctx context.Context, evalID string) (*Evaluation, error) {
	row, err := s.store.Read().Evaluation.Query().Where(evaluation.EvalID(evalID)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load evaluation %s: %w", evalID, err)
	}
	return FromRow(row)
}

// ByID returns recorded evaluations by their rows, in the order given; those out of reach are not there.
func (s *Service) ByID(ctx context.Context, ids []int) ([]*Evaluation, error) {
	rows, err := s.store.Read().Evaluation.Query().Where(evaluation.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evaluations: %w", err)
	}
	slices.SortFunc(rows, func(a, b *db.Evaluation) int { return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID)) })
	list := make([]*Evaluation, len(rows))
	for i, row := range rows {
		if list[i], err = FromRow(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// FromRow gives a recorded evaluation its shape.
func FromRow(row *db.Evaluation) (*Evaluation, error) {
	e := &Evaluation{
		EvalID: &row.EvalID, Gate: &Gate{Stage: row.StageName, Kind: gatepolicy.GateKind(row.GateKind)}, Decision: row.Decision,
		Explanation: row.Explanation, EvaluatedAt: row.EvaluatedAt, InputDigest: row.InputDigest,
		CapabilitiesDigest: row.CapabilitiesDigest, row: row,
	}
	if err := json.Unmarshal([]byte(row.Policies), &e.Policies); err != nil {
		return nil, fmt.Errorf("read policies of evaluation %s: %w", row.EvalID, err)
	}
	if err := json.Unmarshal([]byte(row.Feeds), &e.Feeds); err != nil {
		return nil, fmt.Errorf("read feeds of evaluation %s: %w", row.EvalID, err)
	}
	if err := json.Unmarshal([]byte(row.Waivers), &e.Waivers); err != nil {
		return nil, fmt.Errorf("read waivers of evaluation %s: %w", row.EvalID, err)
	}
	return e, nil
}

// OfPromotion returns what the gates said about an attempt to move a version.
func (s *Service) OfPromotion(ctx context.Context, p *db.Promotion) ([]*Evaluation, error) {
	rows, err := p.Edges.EvaluationsOrErr()
	if db.IsNotLoaded(err) {
		rows, err = s.store.Read().Evaluation.Query().Where(evaluation.PromotionID(p.ID)).All(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("load evaluations of promotion %d: %w", p.ID, err)
	}
	slices.SortFunc(rows, func(a, b *db.Evaluation) int { return cmp.Compare(a.ID, b.ID) })
	list := make([]*Evaluation, len(rows))
	for i, row := range rows {
		if list[i], err = FromRow(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Results returns what each rule of each policy said.
func (s *Service) Results(ctx context.Context, e *Evaluation) ([]*RuleResult, error) {
	if e.results != nil {
		return e.results, nil
	}
	b, err := s.store.Blob(ctx, e.row.ResultsDigest)
	if err != nil {
		return nil, fmt.Errorf("load results of evaluation %s: %w", *e.EvalID, err)
	}
	var results []*RuleResult
	if err := json.Unmarshal(b, &results); err != nil {
		return nil, fmt.Errorf("read results of evaluation %s: %w", *e.EvalID, err)
	}
	return results, e.attach(results)
}

// attach gives each result its rule and policy, which are kept once, in the same order, and what it looked at, which
// stands in what the Rego said.
func (e *Evaluation) attach(results []*RuleResult) error {
	i := 0
	for _, p := range e.Policies {
		for _, rule := range p.Rules {
			if i == len(results) {
				return fmt.Errorf("evaluation %s has fewer results than rules", *e.EvalID)
			}
			r := results[i]
			i++
			r.Policy, r.Rule = p, rule
			if r.Result == nil {
				continue
			}
			var said struct {
				Examined []string `json:"examined"`
			}
			if err := json.Unmarshal([]byte(*r.Result), &said); err != nil {
				return fmt.Errorf("read what rule %s said: %w", rule.Name, err)
			}
			r.Examined = said.Examined
		}
	}
	return nil
}

// Input returns the document that the rules were given, byte for byte; nil for a dry run. It names the applications that
// own parts of the version: whoever may not see all of them gets a FORBIDDEN fault. It fails when what is kept no longer
// has the recorded digest.
func (s *Service) Input(ctx context.Context, e *Evaluation) (*string, error) {
	if e.row == nil {
		return nil, nil
	}
	var refs []partRef
	if err := json.Unmarshal([]byte(e.row.InputParts), &refs); err != nil {
		return nil, fmt.Errorf("read input parts of evaluation %s: %w", *e.EvalID, err)
	}
	var doc bytes.Buffer
	for i, ref := range refs {
		b, err := s.store.Blob(ctx, ref.Digest)
		if err != nil {
			return nil, fmt.Errorf("load input part %s: %w", ref.Key, err)
		}
		if ref.Key == "contents" {
			if err := s.mayRead(ctx, b); err != nil {
				return nil, err
			}
		}
		doc.Write(memberPrefix(i, ref.Key))
		doc.Write(b)
	}
	doc.WriteByte('}')
	if canonical.Digest(doc.Bytes()) != e.InputDigest {
		return nil, fmt.Errorf("the input kept for evaluation %s does not have its digest", *e.EvalID)
	}
	text := doc.String()
	return &text, nil
}

// mayRead refuses contents that name an application which does not exist for whoever asks.
func (s *Service) mayRead(ctx context.Context, contents []byte) error {
	named := map[string]bool{}
	if err := owners(contents, named); err != nil {
		return err
	}
	n, err := s.store.Read().Application.Query().Where(application.KeyIn(slices.Collect(maps.Keys(named))...)).Count(ctx)
	if err != nil {
		return fmt.Errorf("look up the applications that an input names: %w", err)
	}
	if n < len(named) {
		return fault.New(fault.Forbidden, "this input names applications out of your reach; ask an auditor of the organisation for it")
	}
	return nil
}

// Capabilities returns what the rules were allowed to call; nil for a dry run.
func (s *Service) Capabilities(ctx context.Context, e *Evaluation) (*string, error) {
	if e.row == nil {
		return nil, nil
	}
	b, err := s.store.Blob(ctx, e.CapabilitiesDigest)
	if err != nil {
		return nil, fmt.Errorf("load capabilities: %w", err)
	}
	text := string(b)
	return &text, nil
}

// Owners returns who is to do what a violation asks for.
func (s *Service) Owners(ctx context.Context, v *Violation) ([]*db.Owner, error) {
	if len(v.OwnerIDs) == 0 {
		return nil, nil
	}
	return s.store.Read().Owner.Query().Where(owner.IDIn(v.OwnerIDs...)).Order(owner.ByRef()).All(ctx)
}
