package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
)

func createStage(who func(*world) context.Context, change func(*catalog.CreateStageInput)) func(*world) error {
	return func(w *world) error {
		in := catalog.CreateStageInput{ProjectKey: ptr("shop"), Name: "NEW", Category: stage.CategoryPROMOTE}
		change(&in)
		_, err := w.catalog.CreateStage(who(w), in)
		return err
	}
}

func TestRule02_StagesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		type in = catalog.CreateStageInput
		must(w.catalog.CreateStage(w.shopAdmin, in{ProjectKey: ptr("shop"), Name: "UAT", Category: stage.CategoryPROMOTE}))(t)
		refuse(t, w, []refusal{
			{"an empty name", createStage(root, func(in *in) { in.Name = "" }), fault.BadInput, "input.name", "at least 1"},
			{"a project's key that is none", createStage(root, func(in *in) { in.ProjectKey = ptr("") }), fault.BadInput, "input.projectKey", "2 to 64"},
			{"no category", createStage(root, func(in *in) { in.Category = "" }), fault.BadInput, "input.category", "CODE, PROMOTE or RELEASE"},
			{"a project that is not there", createStage(root, func(in *in) { in.ProjectKey = ptr("nowhere") }), fault.NotFound, "input.projectKey", "no project"},
			{"a project out of sight", createStage(shopAdmin, func(in *in) { in.ProjectKey = ptr("bank") }), fault.NotFound, "input.projectKey", "no project"},
			{"a name that the project has", createStage(shopAdmin, func(in *in) { in.Name = "UAT" }), fault.Conflict, "input.name", "project shop"},
			{"a name that the organisation has", createStage(root, func(in *in) { in.ProjectKey, in.Name = nil, "QA" }), fault.Conflict, "input.name", "organisation"},
			{"a project's admin asking for the organisation", createStage(shopAdmin, func(in *in) { in.ProjectKey = nil }), fault.Forbidden, "", "the organisation"},
			{"a contributor asking", createStage(shopContributor, func(*in) {}), fault.Forbidden, "", "PROJECT_ADMIN"},
			{"nobody asking", createStage(nobody, func(in *in) { in.ProjectKey = nil }), fault.Unauthenticated, "", "token"},
		})
	})
}

func setLifecycle(who func(*world) context.Context, stages ...string) func(*world) error {
	return func(w *world) error {
		_, err := w.catalog.SetLifecycle(who(w), catalog.SetLifecycleInput{ProjectKey: "shop", Name: "other", Stages: stages})
		return err
	}
}

func TestRule12_LifecyclesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(w.catalog.CreateStage(w.root, catalog.CreateStageInput{Name: "LIVE", Category: stage.CategoryRELEASE}))(t)
		must(w.catalog.CreateStage(w.root, catalog.CreateStageInput{ProjectKey: ptr("bank"), Name: "VAULT", Category: stage.CategoryPROMOTE}))(t)
		many := slices.Repeat([]string{"x"}, 51)
		elsewhere := func(w *world) error {
			_, err := w.catalog.SetLifecycle(w.shopAdmin, catalog.SetLifecycleInput{ProjectKey: "bank", Stages: []string{"PROD"}})
			return err
		}
		refuse(t, w, []refusal{
			{"no stages", setLifecycle(root), fault.BadInput, "input.stages", "1 to 50"},
			{"51 stages", setLifecycle(root, many...), fault.BadInput, "input.stages", "at most 50"},
			{"a stage twice", setLifecycle(root, "DEV", "QA", "DEV", "PROD"), fault.BadInput, "input.stages.2", "once"},
			{"an empty stage", setLifecycle(root, "DEV", "", "PROD"), fault.BadInput, "input.stages.1", "at least 1"},
			{"a stage that is not there", setLifecycle(root, "DEV", "UAT", "PROD"), fault.BadInput, "input.stages.1", "createStage"},
			{"a stage of another project", setLifecycle(root, "VAULT", "PROD"), fault.BadInput, "input.stages.0", "createStage"},
			{"a stage in other letters", setLifecycle(root, "dev", "PROD"), fault.BadInput, "input.stages.0", "createStage"},
			{"no release stage", setLifecycle(root, "DEV", "QA"), fault.BadInput, "input.stages.1", "last stage must be of category RELEASE"},
			{"a release stage that is not the last", setLifecycle(root, "DEV", "PROD", "QA"), fault.BadInput, "input.stages.1", "only the last"},
			{"two release stages", setLifecycle(root, "DEV", "LIVE", "PROD"), fault.BadInput, "input.stages.1", "only the last"},
			{"a contributor asking", setLifecycle(shopContributor, "PROD"), fault.Forbidden, "", "PROJECT_ADMIN"},
			{"nobody asking", setLifecycle(nobody, "PROD"), fault.NotFound, "input.projectKey", "no project"},
			{"a project out of sight", elsewhere, fault.NotFound, "input.projectKey", "no project"},
		})
	})
}

func stageNames(t *testing.T, w *world, l *db.Lifecycle) string {
	t.Helper()
	var names []string
	for _, s := range must(w.catalog.StagesOfLifecycle(w.root, l.ID))(t) {
		names = append(names, s.Realm+"/"+s.Name)
	}
	return strings.Join(names, " ")
}

func TestRule12_ChangingALifecycleCountsItsRevisions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := catalog.SetLifecycleInput{ProjectKey: "shop", Stages: []string{"DEV", "QA", "PROD"}, EnforceOrder: true}
		w.noEvent(t, func() {
			if l := must(w.catalog.SetLifecycle(w.shopAdmin, in))(t); l.Revision != 1 {
				t.Errorf("setting what is there made revision %d", l.Revision)
			}
		})
		in.EnforceOrder = false
		e := w.onlyEvent(t, func() {
			if l := must(w.catalog.SetLifecycle(w.shopAdmin, in))(t); l.Revision != 2 || l.EnforceOrder {
				t.Errorf("got revision %d, enforceOrder %t", l.Revision, l.EnforceOrder)
			}
		})
		if got := changes(t, e); got != "enforceOrder: true → false" {
			t.Errorf("the event says %s", got)
		}
		in.Stages = []string{"QA", "DEV", "PROD"}
		e = w.onlyEvent(t, func() {
			l := must(w.catalog.SetLifecycle(w.shopAdmin, in))(t)
			if got := stageNames(t, w, l); l.Revision != 3 || got != "/QA /DEV /PROD" {
				t.Errorf("got revision %d of %s", l.Revision, got)
			}
		})
		if got := changes(t, e); got != "stages: DEV → QA → PROD → QA → DEV → PROD" {
			t.Errorf("the event says %s", got)
		}
		if e.Type != "LIFECYCLE_SET" || e.ProjectKey != "shop" || e.Subject != "default" {
			t.Errorf("got event %s of %q about %q", e.Type, e.ProjectKey, e.Subject)
		}
	})
}

func TestAProjectsStageHidesTheOrganisations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(w.catalog.CreateStage(w.shopAdmin, catalog.CreateStageInput{ProjectKey: ptr("shop"), Name: "QA", Category: stage.CategoryPROMOTE}))(t)
		in := catalog.SetLifecycleInput{ProjectKey: "shop", Stages: []string{"DEV", "QA", "PROD"}, EnforceOrder: true}
		l := must(w.catalog.SetLifecycle(w.shopAdmin, in))(t)
		if got := stageNames(t, w, l); got != "/DEV shop/QA /PROD" {
			t.Errorf("shop's lifecycle is %s", got)
		}
		in.ProjectKey = "bank"
		l = must(w.catalog.SetLifecycle(w.bankAdmin, in))(t)
		if got := stageNames(t, w, l); got != "/DEV /QA /PROD" {
			t.Errorf("bank's lifecycle is %s", got)
		}
		lifecycles := must(w.catalog.LifecyclesOf(w.shopViewer, w.bank.ID))(t)
		if stages := must(w.catalog.StagesOfLifecycle(w.shopViewer, l.ID))(t); len(lifecycles)+len(stages) != 0 {
			t.Error("bank's lifecycle exists for shop's viewer")
		}
	})
}

// version puts a version of checkout in a stage.
func (w *world) version(t *testing.T, version, in string) {
	t.Helper()
	p, err := auth.From(w.root)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, func(ctx context.Context, tx *db.Client) error {
		st, err := tx.Stage.Query().Where(stage.Name(in)).Only(ctx)
		if err != nil {
			return err
		}
		return tx.ApplicationVersion.Create().SetVersion(version).SetManifestDigest("sha256:" + strings.Repeat("0", 64)).
			SetManifest("{}").SetContext("{}").SetReleasableCount(1).SetProjectID(w.shop.ID).SetApplicationID(w.checkout.ID).
			SetStageID(st.ID).SetCreatedBy(p.ID).SetCreatedAt(start).Exec(ctx)
	})
}

func TestRule12_AStageThatHoldsAVersionIsNotDropped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.version(t, "1.0", "QA")
		w.version(t, "0.9", "PROD")
		must(w.catalog.CreateStage(w.root, catalog.CreateStageInput{Name: "LIVE", Category: stage.CategoryRELEASE}))(t)
		in := catalog.SetLifecycleInput{ProjectKey: "shop", Stages: []string{"DEV", "LIVE"}, EnforceOrder: true}
		w.noEvent(t, func() {
			_, err := w.catalog.SetLifecycle(w.shopAdmin, in)
			wantFault(t, err, fault.FailedPrecondition, "input.stages", "QA, PROD")
			f, _ := errors.AsType[*fault.Error](err)
			if got := fmt.Sprint(f.Details["stages"]); got != "[QA PROD]" {
				t.Errorf("the details name %s", got)
			}
		})
		// The empty stage may go, and a lifecycle that the version does not follow may do without the others.
		in.Stages = []string{"QA", "PROD"}
		must(w.catalog.SetLifecycle(w.shopAdmin, in))(t)
		in.Name, in.Stages = "other", []string{"QA", "LIVE"}
		must(w.catalog.SetLifecycle(w.shopAdmin, in))(t)
		in.Stages = []string{"LIVE"}
		must(w.catalog.SetLifecycle(w.shopAdmin, in))(t)
	})
}

func TestApplicationsWithoutALifecycleAdoptTheDefault(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.checkout.LifecycleID == nil || w.ledger.LifecycleID != nil {
			t.Fatalf("checkout follows %v, ledger follows %v", w.checkout.LifecycleID, w.ledger.LifecycleID)
		}
		in := catalog.SetLifecycleInput{ProjectKey: "bank", Name: "fast", Stages: []string{"PROD"}}
		must(w.catalog.SetLifecycle(w.bankAdmin, in))(t)
		if a := must(w.catalog.Application(w.root, "ledger"))(t); a.LifecycleID != nil {
			t.Error("ledger follows a lifecycle that is not the default")
		}
		in.Name = ""
		var l *db.Lifecycle
		e := w.onlyEvent(t, func() { l = must(w.catalog.SetLifecycle(w.bankAdmin, in))(t) })
		if a := must(w.catalog.Application(w.root, "ledger"))(t); a.LifecycleID == nil || *a.LifecycleID != l.ID {
			t.Error("ledger does not follow the default")
		}
		if got := changes(t, e); !strings.Contains(got, "followers: - → ledger") {
			t.Errorf("the event says %s", got)
		}
		if a := must(w.catalog.Application(w.root, "checkout"))(t); *a.LifecycleID != *w.checkout.LifecycleID {
			t.Error("checkout follows another project's lifecycle")
		}
	})
}

func TestRegisteringAndMakingTheDefaultLifecycleAtOnceLeavesNobodyBehind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		errs := atOnce(8, func(i int) error {
			if i == 4 {
				_, err := w.catalog.SetLifecycle(w.bankAdmin, catalog.SetLifecycleInput{ProjectKey: "bank", Stages: []string{"PROD"}})
				return err
			}
			_, err := w.catalog.CreateApplication(w.bankAdmin, catalog.CreateApplicationInput{ProjectKey: "bank", Key: fmt.Sprintf("app-%d", i), Name: fmt.Sprint(i)})
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for _, e := range must(w.catalog.ApplicationsOf(w.root, w.bank.ID, nil, ptr(100), nil, nil))(t).Edges {
			if e.Node.LifecycleID == nil {
				t.Errorf("%s follows no lifecycle", e.Node.Key)
			}
		}
	})
}

func TestOfManyChangesOfALifecycleAtOnceEachCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		orders := [][]string{{"DEV", "QA", "PROD"}, {"QA", "DEV", "PROD"}}
		errs := atOnce(8, func(i int) error {
			_, err := w.catalog.SetLifecycle(w.root, catalog.SetLifecycleInput{ProjectKey: "shop", Stages: orders[i%2], EnforceOrder: true})
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		l := must(w.catalog.LifecyclesOf(w.root, w.shop.ID))(t)[0]
		if got := stageNames(t, w, l); got != "/DEV /QA /PROD" && got != "/QA /DEV /PROD" {
			t.Errorf("the stages are %s", got)
		}
		set := 0
		for _, e := range w.events(t, 0) {
			if e.Type == "LIFECYCLE_SET" {
				set++
			}
		}
		if l.Revision != set {
			t.Errorf("revision %d after %d events", l.Revision, set)
		}
	})
}

func TestAHeldLifecycleStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		err := w.inTx(w.shopContributor, func(tx *db.Client) error {
			l, err := catalog.HoldLifecycle(w.shopContributor, tx, *w.checkout.LifecycleID)
			if err != nil {
				return err
			}
			stages, err := catalog.Stages(w.shopContributor, tx, l.ID)
			if err != nil || len(stages) != 3 || stages[2].Name != "PROD" {
				return fmt.Errorf("stages %v: %w", stages, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = w.inTx(w.bankAdmin, func(tx *db.Client) error {
			_, err := catalog.HoldLifecycle(w.bankAdmin, tx, *w.checkout.LifecycleID)
			return err
		})
		if !db.IsNotFound(err) {
			t.Errorf("bank's admin holds shop's lifecycle: %v", err)
		}
	})
}
