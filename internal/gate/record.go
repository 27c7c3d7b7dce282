package gate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/store"
)

// partRef is how an evaluation's row names a part of its input.
type partRef struct {
	Key    string `json:"key"`
	Digest string `json:"digest"`
}

// Record writes the evaluations of a judgement in the caller's transaction: inputs, capabilities and results by digest,
// the decisions as rows of the promotion.
func (s *Service) Record(ctx context.Context, tx *db.Client, p *db.Promotion, j *Judgement) error {
	if err := keep(ctx, tx, rego.Capabilities()); err != nil {
		return err
	}
	for i, e := range j.Evaluations {
		refs := make([]partRef, len(j.inputs[i]))
		for n, part := range j.inputs[i] {
			refs[n] = partRef{part.key, part.digest}
			if err := keep(ctx, tx, part.bytes); err != nil {
				return err
			}
		}
		if err := s.record(ctx, tx, p, e, refs); err != nil {
			return fmt.Errorf("record evaluation %s: %w", *e.EvalID, err)
		}
	}
	return nil
}

func keep(ctx context.Context, tx *db.Client, content []byte) error {
	_, err := store.PutBlob(ctx, tx, content)
	return err
}

func (s *Service) record(ctx context.Context, tx *db.Client, p *db.Promotion, e *Evaluation, refs []partRef) error {
	parts, err := json.Marshal(refs)
	if err != nil {
		return err
	}
	policies, err := json.Marshal(e.Policies)
	if err != nil {
		return err
	}
	results, err := json.Marshal(e.results)
	if err != nil {
		return err
	}
	digest, err := store.PutBlob(ctx, tx, results)
	if err != nil {
		return err
	}
	e.row, err = tx.Evaluation.Create().SetEvalID(*e.EvalID).SetStageName(e.Gate.Stage).
		SetGateKind(evaluation.GateKind(e.Gate.Kind)).SetDecision(e.Decision).SetExplanation(e.Explanation).
		SetEvaluatedAt(e.EvaluatedAt).SetInputDigest(e.InputDigest).SetInputParts(string(parts)).
		SetCapabilitiesDigest(e.CapabilitiesDigest).SetPolicies(string(policies)).SetResultsDigest(digest).
		SetProjectID(p.ProjectID).SetVersionID(p.VersionID).SetPromotionID(p.ID).Save(ctx)
	return err
}

// Stale tells, inside the transaction that is to record it, whether policies changed since a judgement was made.
func (s *Service) Stale(ctx context.Context, tx *db.Client, j *Judgement) (bool, error) {
	generation, err := s.policies.Generation(auth.System(ctx), tx)
	return generation != j.Generation, err
}
