package version_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

// holding makes a version of an application that holds an image, and says how far it came.
func (w *world) holding(app, name, calls string, trust applicationversion.Trust) *db.ApplicationVersion {
	w.tb.Helper()
	v := must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
		ApplicationKey: app, Version: name,
		Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: calls, Digest: digestOf("d")}}},
	}))(w.tb)
	sys := auth.System(context.Background())
	err := w.st.InTx(sys, func(tx *db.Client) error {
		if trust != applicationversion.TrustPRE_RELEASE {
			err := tx.Promotion.Create().SetKind("RELEASE").SetStatus("COMPLETED").SetAt(time.Unix(0, 0)).SetProjectID(v.ProjectID).SetVersionID(v.ID).
				SetActorID(v.CreatedBy).Exec(sys)
			if err != nil {
				return err
			}
		}
		return tx.ApplicationVersion.UpdateOneID(v.ID).SetTrust(trust).Exec(sys)
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return v
}

func TestRule45_AnArtifactIsWhatVersionsInReachHold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		first := w.holding("checkout", "1", "image", applicationversion.TrustTRUSTED_RELEASE)
		w.holding("ledger", "1", "the-image", applicationversion.TrustRELEASED)
		w.holding("checkout", "2", "image.tar", applicationversion.TrustRELEASED)
		w.holding("checkout", "3", "new-image", applicationversion.TrustPRE_RELEASE)
		ofPay := auth.With(context.Background(), auth.Principal{Name: "pat", Grants: []auth.Grant{{Role: auth.Viewer, Project: first.ProjectID}}})
		nowhere := auth.With(context.Background(), auth.Principal{Name: "nobody"})
		for who, c := range map[string]struct {
			ctx            context.Context
			name, releases string
		}{
			"of all":      {w.admin, "new-image", "[2 1 1]"},
			"of pay":      {ofPay, "new-image", "[2 1]"},
			"of no place": {nowhere, "", "[]"},
		} {
			a := must(w.versions.Artifact(c.ctx, digestOf("d")))(t)
			if (a == nil) != (c.name == "") || a != nil && (a.Name != c.name || a.Digest != digestOf("d")) {
				t.Errorf("%s: it is %+v, want %q", who, a, c.name)
			}
			page := must(w.versions.Releases(c.ctx, digestOf("d"), nil, nil, nil, nil))(t)
			got := []string{}
			for _, e := range page.Edges {
				got = append(got, e.Node.Version)
			}
			if fmt.Sprint(got) != c.releases {
				t.Errorf("%s: releases are %v, want %s", who, got, c.releases)
			}
		}
		one := must(w.versions.Releases(w.admin, digestOf("d"), nil, ptr(1), nil, nil))(t)
		rest := must(w.versions.Releases(w.admin, digestOf("d"), one.PageInfo.EndCursor, ptr(5), nil, nil))(t)
		if len(one.Edges) != 1 || !one.PageInfo.HasNextPage || len(rest.Edges) != 2 || one.TotalCount != 3 {
			t.Errorf("pages of %d and %d", len(one.Edges), len(rest.Edges))
		}
		if a := must(w.versions.Artifact(w.admin, digestOf("e")))(t); a != nil {
			t.Errorf("nothing is %+v", a)
		}
		if _, err := w.versions.Artifact(w.admin, "sha256:1"); err == nil {
			t.Error("what is no digest is looked for")
		} else if f, ok := err.(*fault.Error); !ok || f.Path != "digest" {
			t.Errorf("what is no digest: %v", err)
		}
		testdb.NoScans(w.admin, t, dsn, func(ctx context.Context) error {
			_, err := w.versions.Artifact(ctx, digestOf("d"))
			if err == nil {
				_, err = w.versions.Releases(ctx, digestOf("d"), nil, ptr(10), nil, nil)
			}
			return err
		})
	})
}

func TestRule45_TheReleaseOfADigestIsTheNewestInReach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		old := w.holding("checkout", "1", "image", applicationversion.TrustTRUSTED_RELEASE)
		newer := w.holding("ledger", "1", "image", applicationversion.TrustRELEASED)
		draft := w.holding("checkout", "2", "image", applicationversion.TrustPRE_RELEASE)
		ofPay := auth.With(context.Background(), auth.Principal{Name: "pat", Grants: []auth.Grant{{Role: auth.Viewer, Project: old.ProjectID}}})
		back := func(id int) {
			sys := auth.System(context.Background())
			err := w.st.InTx(sys, func(tx *db.Client) error {
				return tx.ApplicationVersion.UpdateOneID(id).SetTrust(applicationversion.TrustPRE_RELEASE).Exec(sys)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		expect := func(what string, ctx context.Context, digest string, want *db.ApplicationVersion) {
			t.Helper()
			got := must(w.versions.Released(ctx, digest))(t)
			if (got == nil) != (want == nil) || got != nil && (got.ID != want.ID || got.Edges.Application == nil || got.Edges.Project == nil) {
				t.Errorf("%s: it is %v", what, got)
			}
		}
		expect("the image", w.admin, digestOf("d"), newer)
		expect("the image in reach", ofPay, digestOf("d"), old)
		expect("a manifest", ofPay, old.ManifestDigest, old)
		expect("a manifest out of reach", ofPay, newer.ManifestDigest, nil)
		expect("one that was never released", w.admin, draft.ManifestDigest, nil)
		expect("nothing", w.admin, digestOf("e"), nil)
		back(newer.ID)
		expect("the image after the newest was taken back", w.admin, digestOf("d"), old)
		expect("the manifest that was taken back", w.admin, newer.ManifestDigest, newer)
		back(old.ID)
		expect("the image after both were", w.admin, digestOf("d"), newer)
		testdb.NoScans(w.admin, t, dsn, func(ctx context.Context) error {
			_, err := w.versions.Released(ctx, digestOf("d"))
			return err
		})
		testdb.NoScans(w.admin, t, dsn, func(ctx context.Context) error {
			_, err := w.versions.Released(ctx, newer.ManifestDigest)
			return err
		})
	})
}
