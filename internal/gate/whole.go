package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Whole is a recorded evaluation with everything that it was made from.
type Whole struct {
	*Evaluation
	Results []*RuleResult
	// Input is the document that the rules were given; nil when it names applications out of the caller's reach.
	Input        *string
	Capabilities string
	// rego are the sources of the templates that its rules are of.
	rego map[policy.TemplateRef]*string
}

// Rego is the source of a rule; nil when it is not kept.
func (w *Whole) Rego(r *EvaluatedRule) *string {
	return w.rego[policy.TemplateRef{Name: r.Template, Revision: r.TemplateRevision}]
}

// Whole returns recorded evaluations by their evalIds, oldest first, with what they were made from; those out of reach are not
// there. However many there are, it asks the database a few times. It fails when something is not kept as it was.
func (s *Service) Whole(ctx context.Context, evalIDs []string) ([]*Whole, error) {
	rows, err := s.store.Read().Evaluation.Query().Where(evaluation.EvalIDIn(evalIDs...)).Order(evaluation.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evaluations: %w", err)
	}
	list := make([]*Whole, len(rows))
	parts := make([][]partRef, len(rows))
	wanted := map[string]bool{}
	for i, row := range rows {
		e, err := FromRow(row)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(row.InputParts), &parts[i]); err != nil {
			return nil, fmt.Errorf("read input parts of evaluation %s: %w", row.EvalID, err)
		}
		list[i] = &Whole{Evaluation: e}
		wanted[row.CapabilitiesDigest], wanted[row.ResultsDigest] = true, true
		for _, p := range parts[i] {
			wanted[p.Digest] = true
		}
	}
	kept, err := s.blobs(ctx, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return nil, err
	}
	for i, w := range list {
		if err := w.fill(kept, parts[i]); err != nil {
			return nil, err
		}
	}
	if err := s.withhold(ctx, list, kept, parts); err != nil {
		return nil, err
	}
	return list, s.sources(ctx, list)
}

// blobs reads what is kept under digests. It fails when something is not there.
func (s *Service) blobs(ctx context.Context, digests []string) (map[string][]byte, error) {
	const atOnce = 500
	kept := make(map[string][]byte, len(digests))
	for some := range slices.Chunk(digests, atOnce) {
		rows, err := s.store.Read().Blob.Query().Where(blob.DigestIn(some...)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load what evaluations were made from: %w", err)
		}
		for _, row := range rows {
			if kept[row.Digest], err = store.Unpack(row); err != nil {
				return nil, err
			}
		}
	}
	for _, d := range digests {
		if _, there := kept[d]; !there {
			return nil, fmt.Errorf("an evaluation was made from %s, which is not kept", d)
		}
	}
	return kept, nil
}

// fill puts together what is kept in parts.
func (w *Whole) fill(kept map[string][]byte, parts []partRef) error {
	w.Capabilities = string(kept[w.CapabilitiesDigest])
	results := []*RuleResult{}
	if err := json.Unmarshal(kept[w.row.ResultsDigest], &results); err != nil {
		return fmt.Errorf("read results of evaluation %s: %w", *w.EvalID, err)
	}
	if err := w.attach(results); err != nil {
		return err
	}
	w.Results = results
	var doc bytes.Buffer
	for i, p := range parts {
		doc.Write(memberPrefix(i, p.Key))
		doc.Write(kept[p.Digest])
	}
	doc.WriteByte('}')
	if canonical.Digest(doc.Bytes()) != w.InputDigest {
		return fmt.Errorf("the input kept for evaluation %s does not have its digest", *w.EvalID)
	}
	text := doc.String()
	w.Input = &text
	return nil
}

// withhold takes away the inputs that name applications which do not exist for whoever asks.
func (s *Service) withhold(ctx context.Context, list []*Whole, kept map[string][]byte, parts [][]partRef) error {
	named, all := make([]map[string]bool, len(list)), map[string]bool{}
	for i := range list {
		named[i] = map[string]bool{}
		for _, p := range parts[i] {
			if p.Key != "contents" {
				continue
			}
			if err := owners(kept[p.Digest], named[i]); err != nil {
				return err
			}
		}
		maps.Copy(all, named[i])
	}
	there, err := s.store.Read().Application.Query().Where(application.KeyIn(slices.Sorted(maps.Keys(all))...)).Select(application.FieldKey).Strings(ctx)
	if err != nil {
		return fmt.Errorf("look up the applications that inputs name: %w", err)
	}
	for _, key := range there {
		delete(all, key)
	}
	for i, w := range list {
		for key := range named[i] {
			if all[key] {
				w.Input = nil
			}
		}
	}
	return nil
}

// owners adds the applications that contents name.
func owners(contents []byte, to map[string]bool) error {
	var list []content
	if err := json.Unmarshal(contents, &list); err != nil {
		return fmt.Errorf("read contents of an input: %w", err)
	}
	for _, c := range list {
		if c.OwningApplication != nil {
			to[*c.OwningApplication] = true
		}
	}
	return nil
}

// sources gives each evaluation the Rego of its rules.
func (s *Service) sources(ctx context.Context, list []*Whole) error {
	var refs []policy.TemplateRef
	for _, w := range list {
		for _, p := range w.Policies {
			for _, r := range p.Rules {
				refs = append(refs, policy.TemplateRef{Name: r.Template, Revision: r.TemplateRevision})
			}
		}
	}
	rego, err := s.policies.RegoOf(ctx, refs)
	if err != nil {
		return err
	}
	for _, w := range list {
		w.rego = rego
	}
	return nil
}
