package evidence_test

import (
	"context"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// built reports a build and puts a part into a version that came from it.
func (h *house) built(project, number string, into *db.ApplicationVersion) {
	h.tb.Helper()
	h.write(func(ctx context.Context, tx *db.Client) error {
		b, err := tx.Build.Create().SetName("ci").SetNumber(number).SetRealm(project).SetProjectID(h.projects[project].ID).
			SetDigest(digestOf("build " + number)).SetRepository("r").SetRevision("c").SetCreatedBy(h.actor).SetCreatedAt(h.now).Save(ctx)
		if err != nil {
			return err
		}
		return tx.Releasable.Create().SetVersionID(into.ID).SetName("part").SetKind(releasable.KindARTIFACT).SetDigest(digestOf("part " + number)).
			SetSourceKind(releasable.SourceKindBUILD).SetSourceBuildID(b.ID).Exec(ctx)
	})
}

func TestEvidenceAboutABuildCountsForWhatWasMadeFromIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		made, other := h.version("pay", "1.0", ""), h.version("pay", "2.0", "")
		h.built("pay", "7", made)
		h.built("pay", "8", other)
		ref := &evidence.EvidenceSubjectInput{Build: &build.BuildRefInput{Name: "ci", Number: "7"}}
		bom := bill("urn:1", lib("a", "1", "MIT"))
		ev := h.submit(h.pusher(), cyclonedx(bom, ref))
		subjects := ev.QuerySubjects().AllX(h.admin())
		if len(subjects) != 1 || subjects[0].Digest != digestOf("build 7") || subjects[0].Name != "build ci#7" {
			t.Errorf("it speaks of %v", subjects)
		}
		for v, want := range map[*db.ApplicationVersion]int{made: 1, other: 0} {
			page, err := h.service.OfVersion(h.on(auth.Viewer, "pay"), v, nil, nil, nil, nil)
			if err != nil || page.TotalCount != want {
				t.Errorf("%s has %d pieces of evidence, want %d: %v", v.Version, page.TotalCount, want, err)
			}
			sboms, err := h.service.SbomsOf(h.admin(), v)
			if err != nil || len(sboms) != want {
				t.Errorf("%s has %d SBOMs, want %d: %v", v.Version, len(sboms), want, err)
			}
			testdb.NoScans(h.on(auth.Viewer, "pay"), t, dsn, func(ctx context.Context) error {
				_, err := h.service.OfVersion(ctx, v, nil, nil, nil, nil)
				return err
			})
		}
		page, err := h.service.OfVersion(h.on(auth.Viewer, "web"), made, nil, nil, nil, nil)
		if err != nil || page.TotalCount != 0 {
			t.Errorf("another project sees %d pieces: %v", page.TotalCount, err)
		}
		if ev := h.submit(h.on(auth.EvidencePusher, "web", "pay"), cyclonedx(bill("urn:2", lib("b", "1", "MIT")), ref)); ev.Realm != "pay" {
			t.Errorf("a pusher of two projects pushed it to %q, not to the project of the build", ev.Realm)
		}
		for who, ctx := range map[string]context.Context{"another project": h.on(auth.EvidencePusher, "web"), "nobody's build": h.pusher()} {
			in := *ref
			if who == "nobody's build" {
				in.Build = &build.BuildRefInput{Name: "ci", Number: "9"}
			}
			_, _, err := h.service.Submit(ctx, cyclonedx(bom, &in))
			if f, ok := err.(*fault.Error); !ok || f.Kind != fault.NotFound || f.Path != "input.document.subjects.0.build" {
				t.Errorf("%s: %v", who, err)
			}
		}
	})
}
