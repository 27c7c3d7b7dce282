package version_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

// draft makes version 1.0 of checkout a draft with an artifact.
func (w *world) draft(name string) *db.ApplicationVersion {
	w.tb.Helper()
	in := input()
	in.Version, in.Draft = name, true
	return must(w.versions.Create(w.admin, in))(w.tb)
}

func adding(name string, purls ...string) version.AddVersionSourcesInput {
	in := version.AddVersionSourcesInput{ApplicationKey: "checkout", Version: name, Sources: &version.VersionSourcesInput{}}
	for _, p := range purls {
		in.Sources.Packages = append(in.Sources.Packages, &version.PackageSourceInput{Purl: p})
	}
	return in
}

func locking(name string) version.LockApplicationVersionInput {
	return version.LockApplicationVersionInput{ApplicationKey: "checkout", Version: name}
}

func isFault(t *testing.T, err error, kind fault.Kind, path, says string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault %s", err, kind)
	}
	if at := cmp.Or(f.Path, fmt.Sprint(f.Details["path"])); f.Kind != kind || at != cmp.Or(path, "<nil>") || !strings.Contains(f.Message, says) {
		t.Errorf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, at, f.Message, kind, path, says)
	}
}

// sound holds a version's manifest to what it contains.
func (w *world) sound(v *db.ApplicationVersion) {
	w.tb.Helper()
	m := version.Manifest{Schema: version.ManifestSchema, Application: "checkout", Version: v.Version}
	for _, e := range must(w.versions.Contents(w.admin, v.ID, nil, nil, nil, nil))(w.tb).Edges {
		part := version.Part{Kind: e.Node.Kind, Name: e.Node.Name}
		if e.Node.Purl != nil {
			part.PURL = *e.Node.Purl
		}
		if e.Node.Digest != nil {
			part.Digest = *e.Node.Digest
		}
		m.Contents = append(m.Contents, part)
	}
	want := must(m.Bytes())(w.tb)
	if v.Manifest != string(want) || v.ManifestDigest != canonical.Digest(want) || v.ReleasableCount != len(m.Contents) {
		w.tb.Errorf("the manifest is\n%s\nand the contents\n%s", v.Manifest, want)
	}
}

func TestRule03_ADraftGainsSourcesIsRenamedAndLocked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.draft("0.1")
		if v.Status != applicationversion.StatusDRAFT || v.LockedAt != nil || len(must(w.signing.Of(w.admin, v))(t)) != 0 {
			t.Errorf("a draft is %s, locked at %v", v.Status, v.LockedAt)
		}
		w.sound(v)
		v = must(w.versions.AddSources(w.admin, adding("0.1", "pkg:npm/b@2", "pkg:npm/a@1")))(t)
		w.sound(v)
		events := w.st.Read().ActivityEvent.Query().CountX(w.admin)
		if same := must(w.versions.AddSources(w.admin, adding("0.1", "pkg:npm/a@1")))(t); same.Moves != v.Moves || w.st.Read().ActivityEvent.Query().CountX(w.admin) != events {
			t.Error("adding what is there changed something")
		}
		v = must(w.versions.Update(w.admin, version.UpdateApplicationVersionInput{ApplicationKey: "checkout", Version: "0.1", NewVersion: ptr("1.0")}))(t)
		w.sound(v)
		must(w.catalog.UpdateApplication(w.admin, catalog.UpdateApplicationInput{Key: "checkout", Criticality: ptr(application.CriticalityLOW)}))(t)
		v = must(w.versions.Lock(w.admin, locking("1.0")))(t)
		if v.Manifest != goldenManifest || v.ManifestDigest != goldenDigest || v.Status != applicationversion.StatusLOCKED || v.LockedAt == nil {
			t.Errorf("locked it is %s, %s", v.Status, v.Manifest)
		}
		if in := must(version.InheritedBy(v))(t); in.Criticality != application.CriticalityLOW {
			t.Errorf("it inherited %s, not what held when it was locked", in.Criticality)
		}
		if signed := must(w.signing.Of(w.admin, v))(t); len(signed) != 1 || !strings.Contains(signed[0].Statement, v.ManifestDigest) {
			t.Errorf("%d statements are signed", len(signed))
		}
		var types []string
		for _, e := range w.st.Read().ActivityEvent.Query().AllX(w.admin)[events:] {
			types = append(types, e.Type)
		}
		if fmt.Sprint(types) != "[VERSION_UPDATED APPLICATION_UPDATED VERSION_LOCKED]" {
			t.Errorf("the log tells %v", types)
		}
		if again := must(w.versions.Lock(w.admin, locking("1.0")))(t); again.Moves != v.Moves {
			t.Error("locking a locked version changed it")
		}
	})
}

func TestRule04_ALockedVersionsContentsNeverChange(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := must(w.versions.Create(w.admin, input("pkg:npm/a@1")))(t)
		_, err := w.versions.AddSources(w.admin, adding("1.0", "pkg:npm/b@1"))
		isFault(t, err, fault.FailedPrecondition, "input.version", "locked")
		_, err = w.versions.Update(w.admin, version.UpdateApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", NewVersion: ptr("1.1")})
		isFault(t, err, fault.FailedPrecondition, "input.newVersion", "locked")
		_, err = w.versions.DeleteDraft(w.admin, version.DeleteDraftVersionInput{ApplicationKey: "checkout", Version: "1.0"})
		isFault(t, err, fault.FailedPrecondition, "input.version", "archive")
		// Tag and properties stay editable.
		change := func(tag string, set []*version.PropertyInput, remove ...string) (*db.ApplicationVersion, error) {
			return w.versions.Update(w.admin, version.UpdateApplicationVersionInput{
				ApplicationKey: "checkout", Version: "1.0", Tag: &tag, Properties: &version.PropertyChanges{Set: set, Remove: remove},
			})
		}
		must(change("stable", []*version.PropertyInput{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}))(t)
		after := must(change("stable", []*version.PropertyInput{{Key: "a", Value: ""}, {Key: "c", Value: "3"}}, "b", "none"))(t)
		if after.Properties != `[{"key":"a","value":""},{"key":"c","value":"3"}]` || after.Tag != "stable" || after.Manifest != v.Manifest {
			t.Errorf("it is tagged %q with %s", after.Tag, after.Properties)
		}
		many := make([]*version.PropertyInput, 49)
		for i := range many {
			many[i] = &version.PropertyInput{Key: fmt.Sprint("k", i), Value: "v"}
		}
		_, err = change("", many)
		isFault(t, err, fault.BadInput, "input.properties.set", "at most 50 properties and would have 51")
		_, err = change("", []*version.PropertyInput{{Key: "a"}, {Key: "a"}})
		isFault(t, err, fault.BadInput, "input.properties.set.1.key", "twice")
		_, err = change("", []*version.PropertyInput{{Key: "a", Value: strings.Repeat("x", 1025)}})
		isFault(t, err, fault.BadInput, "input.properties.set.0.value", "1024")
		_, err = change("", []*version.PropertyInput{{Key: "a"}}, "a")
		isFault(t, err, fault.BadInput, "input.properties.remove.0", "as well")
		_, err = change("", append(many, many[0], many[1]))
		isFault(t, err, fault.BadInput, "input.properties.set", "50")
		w.draft("2.0")
		_, err = w.versions.Update(w.admin, version.UpdateApplicationVersionInput{ApplicationKey: "checkout", Version: "2.0", NewVersion: ptr("1.0")})
		isFault(t, err, fault.Conflict, "input.newVersion", `"1.0" already`)
	})
}

func TestRule04_ChangesAtOnceLeaveAManifestOfWhatIsThere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.draft("1.0")
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if _, err := w.versions.AddSources(w.admin, adding("1.0", fmt.Sprintf("pkg:npm/p%d@1", i))); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		w.sound(v)
		if v.ReleasableCount != 9 {
			t.Errorf("%d parts, want all that were added", v.ReleasableCount)
		}
		for i := range 4 {
			group.Go(func() {
				_, err := w.versions.AddSources(w.admin, adding("1.0", fmt.Sprintf("pkg:npm/q%d@1", i)))
				if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Kind != fault.FailedPrecondition) {
					t.Error(err)
				}
			})
			group.Go(func() {
				_, err := w.versions.Lock(w.admin, locking("1.0"))
				if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Kind != fault.Conflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		v = must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		w.sound(v)
		signed := must(w.signing.Of(w.admin, v))(t)
		if v.Status != applicationversion.StatusLOCKED || len(signed) != 1 || !strings.Contains(signed[0].Statement, v.ManifestDigest) {
			t.Errorf("it is %s with %d statements", v.Status, len(signed))
		}
	})
}

func TestRule08_WhatSomebodyTriedToPromoteCannotBeDeleted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		del := func(ctx context.Context) error {
			_, err := w.versions.DeleteDraft(ctx, version.DeleteDraftVersionInput{ApplicationKey: "checkout", Version: "1.0"})
			return err
		}
		w.draft("1.0")
		p, _ := auth.From(w.admin)
		viewer := auth.With(context.Background(), auth.Principal{ID: p.ID, Name: "vic", Grants: []auth.Grant{{Role: auth.Viewer}}})
		isFault(t, del(viewer), fault.Forbidden, "", "CONTRIBUTOR")
		if err := del(w.admin); err != nil {
			t.Fatal(err)
		}
		if n := w.st.Read().Releasable.Query().CountX(w.admin); n != 0 {
			t.Errorf("%d parts of a deleted draft are left", n)
		}
		isFault(t, del(w.admin), fault.NotFound, "", "no version")
		v := w.draft("1.0")
		must(0, w.st.InTx(w.admin, func(tx *db.Client) error {
			st, err := tx.Stage.Create().SetName("QA").SetCategory(stage.CategoryPROMOTE).SetProduction(false).SetRealm("").SetCreatedAt(start).Save(w.admin)
			if err != nil {
				return err
			}
			return tx.Promotion.Create().SetKind(promotion.KindPROMOTE).SetStatus(promotion.StatusBLOCKED).SetAt(start).
				SetProjectID(v.ProjectID).SetVersionID(v.ID).SetToStageID(st.ID).SetActorID(p.ID).Exec(w.admin)
		}))(t)
		isFault(t, del(w.admin), fault.FailedPrecondition, "input.version", "archive")
	})
}

func TestAnArchivedVersionStandsInNoListUnlessAskedFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		must(w.versions.Create(w.admin, input()))(t)
		w.draft("2.0")
		archive := func(name string, archived bool) *db.ApplicationVersion {
			return must(w.versions.Archive(w.admin, version.ArchiveApplicationVersionInput{ApplicationKey: "checkout", Version: name, Archived: archived}))(t)
		}
		list := func(f *version.ApplicationVersionFilter) (names string) {
			for _, e := range must(w.versions.List(w.admin, f, nil, nil, nil, nil, nil, nil))(t).Edges {
				names += e.Node.Version + " "
			}
			return names
		}
		at := archive("2.0", true).ArchivedAt
		if again := archive("2.0", true); at == nil || !again.ArchivedAt.Equal(*at) {
			t.Errorf("archived at %v, then at %v", at, again.ArchivedAt)
		}
		draft := ptr("DRAFT")
		for want, f := range map[string]*version.ApplicationVersionFilter{"1.0 ": nil, "2.0 ": {Archived: true}, "": {Status: draft}} {
			if got := list(f); got != want {
				t.Errorf("%+v lists %q, want %q", f, got, want)
			}
		}
		if v := must(w.versions.Version(w.admin, "checkout", "2.0"))(t); v == nil {
			t.Error("an archived version is not found by its name")
		}
		_, err := w.versions.AddSources(w.admin, adding("2.0", "pkg:npm/a@1"))
		isFault(t, err, fault.FailedPrecondition, "input.version", "archived")
		_, err = w.versions.Lock(w.admin, locking("2.0"))
		isFault(t, err, fault.FailedPrecondition, "input.version", "archived")
		archive("2.0", false)
		if got := list(&version.ApplicationVersionFilter{Status: draft}); got != "2.0 " {
			t.Errorf("brought back, the drafts are %q", got)
		}
	})
}
