package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
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
	results := make([][]byte, len(j.Evaluations))
	contents := [][]byte{rego.Capabilities()}
	for i, e := range j.Evaluations {
		var err error
		if results[i], err = json.Marshal(e.results); err != nil {
			return fmt.Errorf("write results of evaluation %s: %w", *e.EvalID, err)
		}
		contents = append(contents, results[i])
		for _, part := range j.inputs[i] {
			contents = append(contents, part.bytes)
		}
	}
	if err := s.keep(ctx, tx, contents); err != nil {
		return err
	}
	for i, e := range j.Evaluations {
		if err := s.record(ctx, tx, p, e, j.inputs[i], canonical.Digest(results[i])); err != nil {
			return fmt.Errorf("record evaluation %s: %w", *e.EvalID, err)
		}
	}
	return s.overrides(ctx, tx, p, j)
}

// keep puts contents, each once. Most of what gates keep is there from the gate before: one look is cheaper than compressing.
func (s *Service) keep(ctx context.Context, tx *db.Client, contents [][]byte) error {
	byDigest := make(map[string][]byte, len(contents))
	for _, c := range contents {
		byDigest[canonical.Digest(c)] = c
	}
	there, err := tx.Blob.Query().Where(blob.DigestIn(slices.Collect(maps.Keys(byDigest))...)).Select(blob.FieldDigest).Strings(ctx)
	if err != nil {
		return fmt.Errorf("look for what is kept: %w", err)
	}
	for _, digest := range there {
		delete(byDigest, digest)
	}
	list := make([]store.Packed, 0, len(byDigest))
	for _, c := range byDigest {
		packed, err := store.Pack(c)
		if err != nil {
			return err
		}
		list = append(list, packed)
	}
	return s.store.PutBlobs(ctx, tx, list)
}

func (s *Service) record(ctx context.Context, tx *db.Client, p *db.Promotion, e *Evaluation, input []part, results string) error {
	refs := make([]partRef, len(input))
	for n, part := range input {
		refs[n] = partRef{part.key, part.digest}
	}
	parts, err := json.Marshal(refs)
	if err != nil {
		return err
	}
	policies, err := json.Marshal(e.Policies)
	if err != nil {
		return err
	}
	feeds, err := json.Marshal(e.Feeds)
	if err != nil {
		return err
	}
	waivers, err := json.Marshal(e.Waivers)
	if err != nil {
		return err
	}
	e.row, err = tx.Evaluation.Create().SetEvalID(*e.EvalID).SetStageName(e.Gate.Stage).
		SetGateKind(evaluation.GateKind(e.Gate.Kind)).SetDecision(e.Decision).SetExplanation(e.Explanation).
		SetEvaluatedAt(e.EvaluatedAt).SetInputDigest(e.InputDigest).SetInputParts(string(parts)).
		SetCapabilitiesDigest(e.CapabilitiesDigest).SetPolicies(string(policies)).SetFeeds(string(feeds)).SetWaivers(string(waivers)).SetResultsDigest(results).
		SetProjectID(p.ProjectID).SetVersionID(p.VersionID).SetPromotionID(p.ID).Save(ctx)
	return err
}

// Stale tells, inside the transaction that is to record it, whether the decisions of people that a judgement rests on changed
// since it was made: policies, waivers in force, freezes, which evidence was withdrawn and which signers are trusted no longer.
// Of the latter two, none is added until the transaction ends. What became known meanwhile, be it evidence, an advisory or a
// triage decision, is later than the instant that was judged at and does not matter: the input says what was known then, and by
// which snapshots of the feeds.
func (s *Service) Stale(ctx context.Context, tx *db.Client, j *Judgement) (bool, error) {
	if err := s.evidence.HoldCounting(ctx, tx); err != nil {
		return true, err
	}
	counting, err := s.evidence.Counting(ctx, tx)
	if err != nil || counting != j.Counting {
		return true, err
	}
	generation, err := s.policies.Generation(auth.System(ctx), tx)
	if err != nil || generation != j.Generation {
		return true, err
	}
	at := j.Evaluations[0].EvaluatedAt
	waivers, err := s.waivers.InForce(ctx, tx, j.sub.version, at)
	if err != nil {
		return false, err
	}
	if !slices.EqualFunc(waivers, j.sub.waivers, func(now *db.Waiver, then *EvaluatedWaiver) bool { return now.ID == then.ID }) {
		return true, nil
	}
	freezes, err := s.freezes.Covering(ctx, tx, j.sub.version.Edges.Application, j.sub.labels, at)
	if err != nil {
		return false, err
	}
	return !slices.EqualFunc(freezes, j.sub.freezes, func(now, then *db.Freeze) bool { return now.ID == then.ID }), nil
}
