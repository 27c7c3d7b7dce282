package evidence_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func differences(diff evidence.ComponentDiff) (all []string) {
	for _, d := range diff.List {
		text := d.Kind
		for _, c := range []*evidence.SbomComponent{d.Before, d.After} {
			if c != nil {
				text += fmt.Sprint(" ", c.Name, " ", c.Version, c.Licenses)
			}
		}
		all = append(all, text)
	}
	return all
}

func TestHowComponentsDiffer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		one, two := h.version("web", "1.0", "", artifact("a"), artifact("shared")), h.version("web", "2.0", "", artifact("b"), artifact("shared"))
		bare := h.version("web", "bare", "", artifact("c"))
		h.submit(h.pusher(), cyclonedx(bill("urn:1", lib("zoo", "1", "MIT"), lib("gone", "1", "MIT"), lib("axe", "1", "MIT"), lib("same", "1", "MIT")), byDigest("a")))
		h.submit(h.pusher(), cyclonedx(bill("urn:2", lib("zoo", "2", "MIT"), lib("new", "1", "MIT"), lib("axe", "1", "AGPL-3.0-only"), lib("same", "1", "MIT")), byDigest("b")))
		h.submit(h.pusher(), cyclonedx(bill("urn:3", lib("both", "1", "MIT")), byDigest("shared")))
		who := h.on(auth.Viewer, "web")
		for name, c := range map[string]struct {
			from, to *db.ApplicationVersion
			want     []string
		}{
			"one to another": {one, two, []string{
				"CHANGED axe 1[MIT] axe 1[AGPL-3.0-only]", "REMOVED gone 1[MIT]", "ADDED new 1[MIT]", "CHANGED zoo 1[MIT] zoo 2[MIT]",
			}},
			"the other way":     {two, one, []string{"CHANGED axe 1[AGPL-3.0-only] axe 1[MIT]", "ADDED gone 1[MIT]", "REMOVED new 1[MIT]", "CHANGED zoo 2[MIT] zoo 1[MIT]"}},
			"to itself":         {one, one, nil},
			"from none":         {bare, one, []string{"ADDED axe 1[MIT]", "ADDED both 1[MIT]", "ADDED gone 1[MIT]", "ADDED same 1[MIT]", "ADDED zoo 1[MIT]"}},
			"between two nones": {bare, bare, nil},
		} {
			diff, err := h.service.DiffComponents(who, c.from, c.to)
			if err != nil {
				t.Fatal(err)
			}
			same(t, name, differences(diff), c.want)
			counts := map[string]int{}
			for _, d := range diff.List {
				counts[d.Kind]++
			}
			if diff.Added != counts[evidence.Added] || diff.Removed != counts[evidence.Removed] || diff.Changed != counts[evidence.Changed] {
				t.Errorf("%s: counted %d, %d and %d of %v", name, diff.Added, diff.Removed, diff.Changed, counts)
			}
		}
	})
}

func TestHowEvidenceDiffers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		one, two := h.version("web", "1.0", "", artifact("a"), artifact("shared")), h.version("web", "2.0", "", artifact("b"), artifact("shared"))
		ci, lab := newKey(t), newKey(t)
		h.trust("ci", ci)
		say := func(by any, predicateType, what string, about string) *db.Evidence {
			if provider, ok := by.(string); ok {
				in := document("application/octet-stream", what, byDigest(about))
				in.Document.PredicateType = &predicateType
				if provider != "" {
					in.Provider = &provider
				}
				return h.submit(h.pusher(), in)
			}
			key := ci
			if by == lab {
				key = lab
			}
			return h.submit(h.pusher(), signed(t, key, statement(predicateType, fmt.Sprintf(`{"says":%q}`, what), about)))
		}
		say(ci, testsType, "an older one", "a")
		ciBefore, ciAfter := say(ci, testsType, "one", "a"), say(ci, testsType, "two", "b")
		onlyFirst, onlySecond := say(lab, testsType, "lab", "a"), say(lab, "urn:lab", "lab", "b")
		say(ci, "urn:same", "the same in both", "shared")
		noteBefore, noteAfter := say("", "urn:note", "one", "a"), say("", "urn:note", "two", "b")
		toolBefore := say("tool", "urn:note", "a tool's", "a")
		h.submit(h.on(auth.EvidencePusher, "pay"), signed(t, lab, statement("urn:secret", `{}`, "b")))

		show := func(diff evidence.EvidenceDiff) (all []string) {
			for _, e := range diff.Added {
				all = append(all, fmt.Sprint("+", e.ID))
			}
			for _, e := range diff.Removed {
				all = append(all, fmt.Sprint("-", e.ID))
			}
			for _, pair := range diff.Changed {
				all = append(all, fmt.Sprint(pair[0].ID, "→", pair[1].ID))
			}
			return all
		}
		diff, err := h.service.DiffEvidence(h.on(auth.Viewer, "web"), one, two)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "from one to the other", show(diff), []string{
			fmt.Sprint("+", onlySecond.ID), fmt.Sprint("-", onlyFirst.ID), fmt.Sprint("-", toolBefore.ID),
			fmt.Sprint(ciBefore.ID, "→", ciAfter.ID), fmt.Sprint(noteBefore.ID, "→", noteAfter.ID),
		})
		if whole := diff.Added[0]; whole.RawDigest != onlySecond.RawDigest || whole.CreatedAt.IsZero() {
			t.Errorf("a part of the row alone was loaded: %+v", whole)
		}
		diff, err = h.service.DiffEvidence(h.on(auth.Viewer, "web"), one, one)
		if err != nil || len(show(diff)) > 0 {
			t.Errorf("a version differs from itself: %v, %v", show(diff), err)
		}
	})
}

func TestEvidenceBeyondTheBoundIsNotCompared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		one, two := h.version("web", "1.0", "", artifact("a")), h.version("web", "2.0", "", artifact("b"))
		model := h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{}`, "a")))
		add := func(from, to int) {
			for start := from; start < to; start += 1000 {
				h.write(func(ctx context.Context, tx *db.Client) error {
					for i := start; i < min(start+1000, to); i++ {
						e, err := tx.Evidence.Create().SetDigest(digestOf(fmt.Sprint(i))).SetSignerKey(model.SignerKey).SetRealm("").SetRawDigest(model.RawDigest).
							SetMediaType(model.MediaType).SetSize(1).SetPredicateType(testsType).SetCategory(model.Category).SetVerified(false).
							SetVerification("no").SetCreatedBy(h.actor).SetCreatedAt(h.now).Save(ctx)
						if err != nil {
							return err
						}
						if err := tx.EvidenceSubject.Create().SetDigest(digestOf("a")).SetEvidenceID(e.ID).Exec(ctx); err != nil {
							return err
						}
					}
					return nil
				})
			}
		}
		add(1, evidence.MaxCompared)
		diff, err := h.service.DiffEvidence(h.on(auth.Viewer, "web"), two, one)
		if err != nil || len(diff.Added) != 1 || diff.Added[0].ID == model.ID {
			t.Fatalf("at the bound: %v, %v", diff.Added, err)
		}
		add(evidence.MaxCompared, evidence.MaxCompared+1)
		before := h.rows()
		_, err = h.service.DiffEvidence(h.on(auth.Viewer, "web"), two, one)
		h.mustRefuse(err, before, fault.ResourceExhausted, "", "more than 5000", `"1.0"`)
	})
}

func TestSbomsAndDiffsAreReadByIndex(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		one, two := h.version("web", "1.0", "", artifact("a")), h.version("web", "2.0", "", artifact("b"))
		ci := newKey(t)
		for _, name := range []string{"a", "b"} {
			h.submit(h.pusher(), signed(t, ci, statement(cdxType, complete("urn:"+name, "complete", lib(name, "1", "MIT")), name)))
		}
		for who, ctx := range map[string]context.Context{"an admin": h.admin(), "a viewer": h.on(auth.Viewer, "web")} {
			t.Run(who, func(t *testing.T) {
				testdb.NoScans(ctx, t, dsn, func(ctx context.Context) error {
					b, err := h.service.SbomOf(ctx, one)
					if err != nil {
						return err
					}
					if _, err := h.fresh().Export(ctx, b, "SPDX"); err != nil || !b.Complete {
						return fmt.Errorf("complete is %t: %w", b.Complete, err)
					}
					_, err = h.service.DiffEvidence(ctx, one, two)
					return err
				})
			})
		}
	})
}
