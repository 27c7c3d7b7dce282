package waiver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/override"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

const (
	// maxOverrides is how many rows an answer is gathered from.
	maxOverrides = 200_000
	// shownEvaluations is how many decisions of one override are named: the newest.
	shownEvaluations = 100
	// versionsAtOnce is how many versions one statement looks at.
	versionsAtOnce = 5000
)

// Overrides returns what waivers covered of something bad, newest first, and a name for the list as it is now. What starts from
// a vulnerability or a package is looked up by what the violations were about; what starts from anything else, by the versions
// that its blast radius hits. Whoever asks sees what is in reach.
func (s *Service) Overrides(ctx context.Context, of blast.BlastRadiusInput) ([]Waived, string, error) {
	rows, err := s.overridden(ctx, of)
	if err != nil {
		return nil, "", err
	}
	list := gathered(rows)
	waivers, err := s.waiversOf(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	name := []any{of}
	for i, w := range list {
		if list[i].Waiver = waivers[w.Waiver.ID]; list[i].Waiver == nil {
			return nil, "", fmt.Errorf("waiver %d of an override is not there", w.Waiver.ID)
		}
		name = append(name, []any{w.Waiver.ID, w.VersionID, w.Violation, w.EvaluationIDs})
	}
	text, err := json.Marshal(name)
	if err != nil {
		return nil, "", fmt.Errorf("name overrides: %w", err)
	}
	return list, "overrides " + canonical.Digest(text), nil
}

// overridden finds the rows, the newest decision first.
func (s *Service) overridden(ctx context.Context, of blast.BlastRadiusInput) ([]*db.Override, error) {
	bad, err := of.Package()
	if err != nil {
		return nil, err
	}
	switch {
	case of.Vulnerability != nil:
		name := vulnerability.Spelled(*of.Vulnerability)
		names, err := s.Names(ctx, []*db.Waiver{{Vulnerability: name}})
		if err != nil {
			return nil, err
		}
		return s.overrides(ctx, override.VulnerabilityIn(names[name]...))
	case bad != nil:
		rows, err := s.overrides(ctx, override.Package(bad.Purl))
		if err != nil || bad.Whole {
			return rows, err
		}
		return slices.DeleteFunc(rows, func(o *db.Override) bool { return !bad.Takes(o.Purl) }), nil
	}
	radius, err := s.blasts.Of(ctx, of, nil)
	if err != nil {
		return nil, err
	}
	hits, _, err := radius.Hits(ctx)
	if err != nil {
		return nil, err
	}
	var rows []*db.Override
	for some := range slices.Chunk(hits, versionsAtOnce) {
		ids := make([]int, len(some))
		for i, h := range some {
			ids[i] = h.Version
		}
		more, err := s.overrides(ctx, override.VersionIDIn(ids...))
		if err != nil {
			return nil, err
		}
		if rows = append(rows, more...); len(rows) > maxOverrides {
			return nil, tooMany()
		}
	}
	slices.SortFunc(rows, newestFirst)
	return rows, nil
}

func (s *Service) overrides(ctx context.Context, which predicate.Override) ([]*db.Override, error) {
	rows, err := s.store.Read().Override.Query().Where(which).Limit(maxOverrides + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load overrides: %w", err)
	}
	if len(rows) > maxOverrides {
		return nil, tooMany()
	}
	slices.SortFunc(rows, newestFirst)
	return rows, nil
}

func tooMany() error {
	return fault.New(fault.ResourceExhausted, "more than %d violations were covered: ask for a version of a package, or for a digest", maxOverrides)
}

func newestFirst(a, b *db.Override) int {
	return cmp.Or(cmp.Compare(b.EvaluationID, a.EvaluationID), cmp.Compare(b.ID, a.ID))
}

// gathered takes together what one waiver covered of one version again and again. The rows come the newest first. Of each
// waiver only the row number is known yet.
func gathered(rows []*db.Override) []Waived {
	type key struct {
		waiver, version                    int
		code, subject, vulnerability, purl string
	}
	list, at := []Waived{}, map[key]int{}
	for _, o := range rows {
		k := key{o.WaiverID, o.VersionID, o.Code, o.Subject, o.Vulnerability, o.Purl}
		i, known := at[k]
		if !known {
			i, at[k] = len(list), len(list)
			list = append(list, Waived{
				Waiver: &db.Waiver{ID: o.WaiverID}, VersionID: o.VersionID,
				Violation: OverriddenViolation{Code: o.Code, Subject: o.Subject, Vulnerability: given(o.Vulnerability), Purl: given(o.Purl)},
			})
		}
		w := &list[i]
		if len(w.EvaluationIDs) < shownEvaluations && !slices.Contains(w.EvaluationIDs, o.EvaluationID) {
			w.EvaluationIDs = append(w.EvaluationIDs, o.EvaluationID)
		}
	}
	return list
}

func (s *Service) waiversOf(ctx context.Context, rows []*db.Override) (map[int]*db.Waiver, error) {
	seen, ids := map[int]bool{}, []int{}
	for _, o := range rows {
		if !seen[o.WaiverID] {
			seen[o.WaiverID], ids = true, append(ids, o.WaiverID)
		}
	}
	out := make(map[int]*db.Waiver, len(ids))
	for some := range slices.Chunk(ids, versionsAtOnce) {
		more, err := s.ByID(ctx, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, more)
	}
	return out, nil
}

// given is a text that stands in the tables as empty when there is none.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
