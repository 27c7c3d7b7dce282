package release_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

const (
	block, warn = gatepolicy.ModeBLOCK, gatepolicy.ModeWARN
	entry, exit = gatepolicy.GateKindENTRY, gatepolicy.GateKindEXIT
	releaseGate = gatepolicy.GateKindRELEASE
)

// said is an attempt in a line: what became of it, where the version is, and what each gate said.
func said(r *release.Result) string {
	parts := []string{"dry run"}
	if p := r.Promotion; p != nil {
		parts = []string{string(p.Kind), string(p.Status)}
	}
	at := "nowhere"
	if s := r.Version.Edges.CurrentStage; s != nil {
		at = s.Name
	}
	parts = append(parts, "in "+at, string(r.Version.Trust))
	for _, e := range r.Evaluations {
		parts = append(parts, fmt.Sprintf("%s %s: %s", e.Gate.Stage, e.Gate.Kind, e.Decision))
	}
	return strings.Join(parts, ", ")
}

func (w *world) says(r *release.Result, err error) func(want string) *release.Result {
	return func(want string) *release.Result {
		w.tb.Helper()
		if err != nil {
			w.tb.Fatalf("want %s, got %v", want, err)
		}
		if got := said(r); got != want {
			w.tb.Errorf("got %s\nwant %s", got, want)
		}
		return r
	}
}

func TestRule11_BothGatesAreReportedThoughTheFirstSaysNo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.says(w.promote("1.0", "DEV"))("PROMOTE, COMPLETED, in DEV, PRE_RELEASE, DEV ENTRY: PASS")
		w.guard("leave", "DEV", exit, block, "wrong")
		w.guard("come", "QA", entry, warn, "wrong")
		w.says(w.promote("1.0", "QA"))("PROMOTE, BLOCKED, in DEV, PRE_RELEASE, DEV EXIT: FAIL, QA ENTRY: WARN")
		w.disable("leave")
		w.says(w.promote("1.0", "QA"))("PROMOTE, COMPLETED, in QA, PRE_RELEASE, DEV EXIT: PASS, QA ENTRY: WARN")
		w.guard("leave QA", "QA", exit, block, "missing")
		w.guard("release", "PROD", releaseGate, block, "fine")
		w.says(w.release("1.0"))("RELEASE, BLOCKED, in QA, PRE_RELEASE, QA EXIT: FAIL, PROD RELEASE: PASS")
		w.disable("leave QA")
		w.guard("faulty", "QA", exit, block, "divide")
		w.says(w.release("1.0"))("RELEASE, FAILED, in QA, PRE_RELEASE, QA EXIT: ERROR, PROD RELEASE: PASS")
		w.disable("faulty")
		w.says(w.release("1.0"))("RELEASE, COMPLETED, in PROD, TRUSTED_RELEASE, QA EXIT: PASS, PROD RELEASE: PASS")
	})
}

func TestRule12_StagesArePassedInOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		promote := func(to string) func() error {
			return func() error { _, err := w.promote("1.0", to); return err }
		}
		releasing := func() error { _, err := w.release("1.0"); return err }
		next := func(f *fault.Error, want any) {
			t.Helper()
			if f.Details["nextStage"] != want {
				t.Errorf("the next stage is %v, want %v", f.Details["nextStage"], want)
			}
		}
		next(w.refused(fault.FailedPrecondition, "", "after the report comes DEV, not QA", promote("QA")), "DEV")
		next(w.refused(fault.FailedPrecondition, "", "comes DEV, not PROD", releasing), "DEV")
		if f := w.refused(fault.FailedPrecondition, "", "use releaseApplicationVersion", promote("PROD")); f.Details["path"] != "input.toStage" {
			t.Errorf("the hint is at %v", f.Details)
		}
		w.refused(fault.BadInput, "input.toStage", "DEV → QA → PROD", promote("UAT"))
		w.refused(fault.BadInput, "input.toStage", "not a stage", promote("dev"))
		must(w.promote("1.0", "DEV"))(t)
		if f := w.refused(fault.Conflict, "", "is in DEV now", promote("DEV")); f.Details["currentStage"] != "DEV" {
			t.Errorf("the conflict says %v", f.Details)
		}
		next(w.refused(fault.FailedPrecondition, "", "after DEV comes QA", releasing), "QA")
		must(w.promote("1.0", "QA"))(t)
		next(w.refused(fault.FailedPrecondition, "", "after QA comes PROD, not DEV", promote("DEV")), "PROD")
		must(w.release("1.0"))(t)
		w.refused(fault.FailedPrecondition, "", "is released: roll it back", promote("QA"))
		w.refused(fault.Conflict, "", "is in PROD now", releasing)

		w.lifecycle(false)
		w.version("2.0")
		w.says(w.promote("2.0", "QA"))("PROMOTE, COMPLETED, in QA, PRE_RELEASE, QA ENTRY: PASS")
		w.says(w.promote("2.0", "DEV"))("PROMOTE, COMPLETED, in DEV, PRE_RELEASE, QA EXIT: PASS, DEV ENTRY: PASS")
		w.says(w.release("2.0"))("RELEASE, COMPLETED, in PROD, RELEASED, DEV EXIT: PASS, PROD RELEASE: PASS")
	})
}

func TestAMoveIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
			ApplicationKey: "ledger", Version: "1.0",
			Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "a", Digest: digestOf("a")}}},
		}))(t)
		long := strings.Repeat("x", 2001)
		viewer, _ := auth.From(w.releaser)
		viewer.Grants = []auth.Grant{{Role: auth.Viewer, Project: viewer.Grants[0].Project}}
		promote := func(ctx context.Context, app, v string, comment *string) func() error {
			return func() error {
				_, err := w.releases.Promote(ctx, release.PromoteApplicationVersionInput{ApplicationKey: app, Version: v, ToStage: "DEV", Comment: comment})
				return err
			}
		}
		releasing := func(comment *string) func() error {
			return func() error {
				_, err := w.releases.Release(w.releaser, release.ReleaseApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", Comment: comment})
				return err
			}
		}
		w.refused(fault.NotFound, "", `no version "2.0"`, promote(w.releaser, "checkout", "2.0", nil))
		w.refused(fault.NotFound, "", `application "ledger"`, promote(w.releaser, "ledger", "1.0", nil))
		w.refused(fault.FailedPrecondition, "", "setLifecycle", promote(w.admin, "ledger", "1.0", nil))
		w.refused(fault.Forbidden, "", "RELEASER", promote(auth.With(context.Background(), viewer), "checkout", "1.0", nil))
		w.refused(fault.NotFound, "", "", promote(context.Background(), "checkout", "1.0", nil))
		w.refused(fault.BadInput, "input.comment", "2000", promote(w.releaser, "checkout", "1.0", &long))
		w.refused(fault.BadInput, "input.comment", "2000", releasing(&long))
		w.refused(fault.FailedPrecondition, "", "is in no stage", func() error { _, err := w.rollback("1.0", "DEV"); return err })
		must(w.promote("1.0", "DEV"))(t)
		w.refused(fault.Conflict, "", "is in DEV now", func() error { _, err := w.rollback("1.0", "QA"); return err })
		for reason, says := range map[string]string{"": "at least 1", long: "2000"} {
			w.refused(fault.BadInput, "input.reason", says, func() error {
				_, err := w.releases.Rollback(w.releaser, release.RollbackApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", FromStage: "DEV", Reason: reason})
				return err
			})
		}
	})
}

// TestRule13_AllOfAMoveOrNone lets the last write of each move fail: what opens the name of whoever acted.
func TestRule13_AllOfAMoveOrNone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("release", "PROD", releaseGate, block, "fine")
		w.version("1.0")
		rename := func(from, to string) {
			w.write(func(ctx context.Context, tx *db.Client) error {
				_, err := tx.ExecContext(ctx, "ALTER TABLE "+from+" RENAME TO "+to)
				return err
			})
		}
		fails := func(what string, fn func() error) {
			t.Helper()
			before, place := w.rows(), w.place("1.0")
			rename("activity_openings", "away")
			err := fn()
			rename("away", "activity_openings")
			if err == nil || !strings.Contains(err.Error(), "write openings") {
				t.Fatalf("%s went on without its event: %v", what, err)
			}
			if after := w.rows(); after != before || w.place("1.0") != place {
				t.Errorf("%s left something: %s became %s, %s became %s", what, before, after, place, w.place("1.0"))
			}
		}
		promote := func(to string) func() error { return func() error { _, err := w.promote("1.0", to); return err } }
		fails("a promotion", promote("DEV"))
		must(w.promote("1.0", "DEV"))(t)
		w.guard("shut", "QA", entry, block, "wrong")
		fails("a refused promotion", promote("QA"))
		w.disable("shut")
		must(w.promote("1.0", "QA"))(t)
		fails("a release", func() error { _, err := w.release("1.0"); return err })
		must(w.release("1.0"))(t)
		fails("a rollback", func() error { _, err := w.rollback("1.0", "PROD"); return err })
		w.says(w.rollback("1.0", "PROD"))("ROLLBACK, COMPLETED, in QA, PRE_RELEASE")
	})
}

// place is where a version is and how it stands.
func (w *world) place(name string) string {
	w.tb.Helper()
	v := must(w.versions.Version(w.admin, "checkout", name))(w.tb)
	standing := ""
	if v.Standing != nil {
		standing = string(*v.Standing)
	}
	return fmt.Sprint(v.StageID != nil, v.Moves, v.Trust, standing)
}

func TestRule14_OfManyMovesAtOnceOneWins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		moves := []struct {
			what, to string
			fn       func() (*release.Result, error)
		}{
			{"promotions", "DEV", func() (*release.Result, error) { return w.promote("1.0", "DEV") }},
			{"rollbacks", "", func() (*release.Result, error) { return w.rollback("1.0", "DEV") }},
		}
		for _, m := range moves {
			var group sync.WaitGroup
			errs := make([]error, 8)
			for i := range errs {
				group.Go(func() { _, errs[i] = m.fn() })
			}
			group.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				f, ok := errors.AsType[*fault.Error](err)
				// A loser that came late finds a version in no stage, and says so.
				late := ok && m.to == "" && f.Kind == fault.FailedPrecondition
				if !late && (!ok || f.Kind != fault.Conflict) {
					t.Errorf("of eight %s one failed with %v", m.what, err)
				}
				if ok && m.to != "" && f.Details["currentStage"] != m.to {
					t.Errorf("a loser is told %v", f.Details)
				}
			}
			if won != 1 {
				t.Errorf("of eight %s %d won", m.what, won)
			}
		}
		if n := must(w.st.Read().Promotion.Query().Count(w.admin))(t); n != 2 {
			t.Errorf("%d promotions are recorded", n)
		}
	})
}

func TestRule16_ADryRunSaysWhatWouldHappenAndLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.guard("shut", "DEV", entry, block, "wrong")
		dry := func(want string) {
			t.Helper()
			before := w.rows()
			r := w.says(w.releases.Promote(w.releaser, release.PromoteApplicationVersionInput{
				ApplicationKey: "checkout", Version: "1.0", ToStage: "DEV", DryRun: true,
			}))(want)
			for _, e := range r.Evaluations {
				input := must(w.gates.Input(w.releaser, e))(t)
				capabilities := must(w.gates.Capabilities(w.releaser, e))(t)
				if e.EvalID != nil || input != nil || capabilities != nil {
					t.Errorf("a dry run has an evaluation %v", e.EvalID)
				}
				if results := must(w.gates.Results(w.releaser, e))(t); len(results) != len(e.Policies) {
					t.Errorf("a dry run has %d results", len(results))
				}
			}
			if r.Promotion != nil || w.rows() != before {
				t.Errorf("a dry run recorded %v, %s became %s", r.Promotion, before, w.rows())
			}
		}
		dry("dry run, in nowhere, PRE_RELEASE, DEV ENTRY: FAIL")
		w.disable("shut")
		dry("dry run, in nowhere, PRE_RELEASE, DEV ENTRY: PASS")
		must(w.promote("1.0", "DEV"))(t)
		must(w.promote("1.0", "QA"))(t)
		before := w.rows()
		w.says(w.releases.Release(w.releaser, release.ReleaseApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", DryRun: true}))(
			"dry run, in QA, PRE_RELEASE, QA EXIT: PASS, PROD RELEASE: PASS")
		if after := w.rows(); after != before {
			t.Errorf("a dry release left something: %s became %s", before, after)
		}
	})
}

// TestTheGroundMovesWhileTheGatesAreAsked changes a policy after the gates were asked and before the answer is recorded.
func TestTheGroundMovesWhileTheGatesAreAsked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.guard("changing", "DEV", entry, warn, "wrong")
		change := func() {
			must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "changing", Mode: ptr(block)}))(t)
		}
		w.onSign.Store(&change)
		w.says(w.promote("1.0", "DEV"))("PROMOTE, BLOCKED, in nowhere, PRE_RELEASE, DEV ENTRY: FAIL")
		if n := must(w.st.Read().Promotion.Query().Count(w.admin))(t); n != 1 {
			t.Errorf("%d attempts are recorded", n)
		}
		w.disable("changing")
		// The stage asked for leaves the lifecycle meanwhile.
		drop := func() {
			must(w.catalog.SetLifecycle(w.admin, catalog.SetLifecycleInput{ProjectKey: "pay", Stages: []string{"QA", "PROD"}, EnforceOrder: true}))(t)
		}
		w.onSign.Store(&drop)
		before := must(w.st.Read().Promotion.Query().Count(w.admin))(t)
		if _, err := w.promote("1.0", "DEV"); err == nil || !strings.Contains(err.Error(), "QA → PROD") {
			t.Errorf("a stage that is none any more: %v", err)
		}
		if n := must(w.st.Read().Promotion.Query().Count(w.admin))(t); n != before {
			t.Errorf("%d attempts became %d", before, n)
		}
	})
}

func TestGroundThatKeepsMovingIsAConflict(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.guard("restless", "DEV", entry, warn, "fine")
		var again func()
		enabled := true
		again = func() {
			enabled = !enabled
			must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "restless", Enabled: &enabled}))(t)
			w.onSign.Store(&again)
		}
		w.onSign.Store(&again)
		_, err := w.promote("1.0", "DEV")
		w.onSign.Store(nil)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Conflict || !strings.Contains(f.Message, "kept changing") {
			t.Errorf("got %v", err)
		}
		if n := must(w.st.Read().Promotion.Query().Count(w.admin))(t); n != 0 {
			t.Errorf("%d attempts are recorded", n)
		}
	})
}

// events returns the newest events that moved a version, newest first, with their changes.
func (w *world) events(n int) []string {
	w.tb.Helper()
	rows := must(w.st.Read().ActivityEvent.Query().Order(db.Desc("id")).Limit(n).All(w.admin))(w.tb)
	var list []string
	for _, e := range rows {
		line := e.Type + " " + string(e.Result) + ": " + e.Summary
		for _, c := range must(activity.Changes(w.admin, e))(w.tb) {
			from, to := "", ""
			if c.From != nil {
				from = *c.From
			}
			if c.To != nil {
				to = *c.To
			}
			line += fmt.Sprintf(" [%s %s→%s]", c.Field, from, to)
		}
		list = append(list, line)
	}
	return list
}
