package release_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

// draft makes a draft of checkout with an artifact.
func (w *world) draft(name string) *db.ApplicationVersion {
	w.tb.Helper()
	return must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
		ApplicationKey: "checkout", Version: name, Draft: true,
		Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: digestOf("image")}}},
	}))(w.tb)
}

func (w *world) add(name, artifact string) {
	w.tb.Helper()
	must(w.versions.AddSources(w.admin, version.AddVersionSourcesInput{
		ApplicationKey: "checkout", Version: name,
		Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: artifact, Digest: digestOf(artifact)}}},
	}))(w.tb)
}

// sealed holds a version to be locked, and every statement about it to be about what it contains.
func (w *world) sealed(name string, statements ...string) {
	w.tb.Helper()
	v := must(w.versions.Version(w.admin, "checkout", name))(w.tb)
	if v.Status != applicationversion.StatusLOCKED || v.LockedAt == nil {
		w.tb.Errorf("%s is %s, locked at %v", name, v.Status, v.LockedAt)
	}
	var types []string
	for _, a := range must(w.signing.Of(w.admin, v))(w.tb) {
		types = append(types, a.PredicateType)
		for _, part := range must(w.versions.Contents(w.admin, v.ID, nil, nil, nil, nil))(w.tb).Edges {
			for _, digest := range []string{v.ManifestDigest, *part.Node.Digest} {
				if !strings.Contains(a.Statement, strings.TrimPrefix(digest, "sha256:")) {
					w.tb.Errorf("%s does not speak of %s", a.PredicateType, digest)
				}
			}
		}
	}
	if !slices.Equal(types, statements) {
		w.tb.Errorf("signed are %q, want %q", types, statements)
	}
}

func (w *world) told(since int) string {
	w.tb.Helper()
	var types []string
	for _, e := range w.st.Read().ActivityEvent.Query().Where(activityevent.IDGT(since)).Order(db.Asc(activityevent.FieldID)).AllX(auth.System(context.Background())) {
		types = append(types, e.Type)
	}
	return strings.Join(types, " ")
}

func (w *world) lastEvent() int {
	return w.st.Read().ActivityEvent.Query().Order(db.Desc(activityevent.FieldID)).FirstIDX(auth.System(context.Background()))
}

func TestRule03_TheFirstPromotionOfADraftLocksIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.draft("1.0")
		w.guard("come", "DEV", entry, block, "wrong")
		// Neither a dry run nor a refusal locks.
		before := w.rows()
		must(w.releases.Promote(w.releaser, release.PromoteApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", ToStage: "DEV", DryRun: true}))(t)
		if after := w.rows(); after != before {
			t.Errorf("a dry run wrote rows: %s became %s", before, after)
		}
		w.says(w.promote("1.0", "DEV"))("PROMOTE, BLOCKED, in nowhere, PRE_RELEASE, DEV ENTRY: FAIL")
		if v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t); v.Status != applicationversion.StatusDRAFT || v.LockedAt != nil {
			t.Errorf("after a refusal it is %s", v.Status)
		}
		w.add("1.0", "chart")
		w.disable("come")
		since := w.lastEvent()
		w.says(w.promote("1.0", "DEV"))("PROMOTE, COMPLETED, in DEV, PRE_RELEASE, DEV ENTRY: PASS")
		w.sealed("1.0", attest.PredicateManifest, attest.PredicatePromotion)
		if got := w.told(since); got != "VERSION_LOCKED VERSION_PROMOTED" {
			t.Errorf("the log tells %s", got)
		}
		since = w.lastEvent()
		w.says(w.promote("1.0", "QA"))("PROMOTE, COMPLETED, in QA, PRE_RELEASE, DEV EXIT: PASS, QA ENTRY: PASS")
		if got := w.told(since); got != "VERSION_PROMOTED" {
			t.Errorf("the log tells %s", got)
		}
	})
}

func TestRule03_ADraftThatChangesMeanwhileIsLookedAtAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.lifecycle(false)
		for name, meanwhile := range map[string]func(){
			"grows": func() { w.add("grows", "late") },
			"is locked": func() {
				must(w.versions.Lock(w.admin, version.LockApplicationVersionInput{ApplicationKey: "checkout", Version: "is locked"}))(t)
			},
			"gets a tag": func() {
				must(w.versions.Update(w.admin, version.UpdateApplicationVersionInput{ApplicationKey: "checkout", Version: "gets a tag", Tag: ptr("t")}))(t)
			},
		} {
			w.draft(name)
			w.onSign.Store(&meanwhile)
			w.says(w.promote(name, "DEV"))("PROMOTE, COMPLETED, in DEV, PRE_RELEASE, DEV ENTRY: PASS")
			w.sealed(name, attest.PredicateManifest, attest.PredicatePromotion)
		}
		w.draft("goes")
		gone := func() {
			must(w.versions.DeleteDraft(w.admin, version.DeleteDraftVersionInput{ApplicationKey: "checkout", Version: "goes"}))(t)
		}
		w.onSign.Store(&gone)
		_, err := w.promote("goes", "DEV")
		isKind(t, err, fault.NotFound)
		w.draft("moves")
		moved := func() { must(w.promote("moves", "QA"))(t) }
		w.onSign.Store(&moved)
		_, err = w.promote("moves", "DEV")
		isKind(t, err, fault.Conflict)
		w.sealed("moves", attest.PredicateManifest, attest.PredicatePromotion)
		w.draft("is archived")
		away := func() { w.archive("is archived", true) }
		w.onSign.Store(&away)
		_, err = w.promote("is archived", "DEV")
		isKind(t, err, fault.FailedPrecondition)
	})
}

func isKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if f, ok := err.(*fault.Error); !ok || f.Kind != kind {
		t.Errorf("got %v, want a fault %s", err, kind)
	}
}

func (w *world) archive(name string, archived bool) {
	w.tb.Helper()
	must(w.versions.Archive(w.admin, version.ArchiveApplicationVersionInput{ApplicationKey: "checkout", Version: name, Archived: archived}))(w.tb)
}

func TestRule08_AnArchivedVersionIsTakenBackButNotMoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		must(w.promote("1.0", "DEV"))(t)
		must(w.promote("1.0", "QA"))(t)
		w.archive("1.0", true)
		for _, move := range []func() error{
			func() error { _, err := w.promote("1.0", "DEV"); return err },
			func() error { _, err := w.release("1.0"); return err },
		} {
			if f := w.refused(fault.FailedPrecondition, "", "is archived", move); fmt.Sprint(f.Details["path"]) != "input.version" {
				t.Errorf("refused at %v", f.Details)
			}
		}
		w.says(w.rollback("1.0", "QA"))("ROLLBACK, COMPLETED, in DEV, PRE_RELEASE")
		w.archive("1.0", false)
		must(w.promote("1.0", "QA"))(t)
	})
}

func TestRule05_GatesSeeWhoseVersionBroughtAPart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
			ApplicationKey: "ledger", Version: "5.0",
			Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "books", Digest: digestOf("books")}}},
		}))(t)
		must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
			ApplicationKey: "checkout", Version: "1.0",
			Sources: &version.VersionSourcesInput{Versions: []*version.ApplicationVersionRefInput{{ApplicationKey: "ledger", Version: "5.0"}}},
		}))(t)
		moved := must(w.promote("1.0", "DEV"))(t)
		e := must(w.gates.Evaluation(w.admin, *moved.Evaluations[0].EvalID))(t)
		input := *must(w.gates.Input(w.admin, e))(t)
		for _, want := range []string{`"connection_level":"SECOND_PARTY"`, `"owning_application":"ledger"`} {
			if !strings.Contains(input, want) {
				t.Errorf("the gate saw no %s: %s", want, input)
			}
		}
		// The input names an application that the releaser does not see, so it is not shown to them.
		if hidden, err := w.gates.Input(w.releaser, e); err == nil && hidden != nil && strings.Contains(*hidden, "ledger") {
			t.Errorf("the releaser reads of ledger: %s", *hidden)
		}
	})
}
