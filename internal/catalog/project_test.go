package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
)

func createProject(who func(*world) context.Context, change func(*catalog.CreateProjectInput)) func(*world) error {
	return func(w *world) error {
		in := catalog.CreateProjectInput{Key: "new", Name: "New"}
		change(&in)
		_, err := w.catalog.CreateProject(who(w), in)
		return err
	}
}

func root(w *world) context.Context            { return w.root }
func shopAdmin(w *world) context.Context       { return w.shopAdmin }
func shopContributor(w *world) context.Context { return w.shopContributor }
func shopViewer(w *world) context.Context      { return w.shopViewer }
func nobody(*world) context.Context            { return context.Background() }

func TestRule01_ProjectsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		type in = catalog.CreateProjectInput
		labels := func(n int) (out []*catalog.LabelInput) {
			for i := range n {
				out = append(out, &catalog.LabelInput{Key: "k", Value: fmt.Sprint(i)})
			}
			return out
		}
		refuse(t, w, []refusal{
			{"a key in upper case", createProject(root, func(in *in) { in.Key = "Shop" }), fault.BadInput, "input.key", "2 to 64"},
			{"an empty name", createProject(root, func(in *in) { in.Name = "" }), fault.BadInput, "input.name", "at least 1"},
			{"a long name", createProject(root, func(in *in) { in.Name = strings.Repeat("n", 256) }), fault.BadInput, "input.name", "at most 255"},
			{"101 labels", createProject(root, func(in *in) { in.Labels = labels(101) }), fault.BadInput, "input.labels", "at most 100"},
			{"a label without a value", createProject(root, func(in *in) { in.Labels = []*catalog.LabelInput{{Key: "a", Value: "b"}, {Key: "a"}} }), fault.BadInput, "input.labels.1.value", "at least 1"},
			{"a key that is taken", createProject(root, func(in *in) { in.Key = "shop" }), fault.Conflict, "input.key", "taken"},
			{"nobody asking", createProject(nobody, func(*in) {}), fault.Unauthenticated, "", "token"},
			{"a project's admin asking", createProject(shopAdmin, func(*in) {}), fault.Forbidden, "", "ORGANISATION_ADMIN"},
			{"a project's admin asking for a key that is taken out of sight", createProject(shopAdmin, func(in *in) { in.Key = "bank" }), fault.Forbidden, "", "ORGANISATION_ADMIN"},
		})
	})
}

func TestRule40_MakingAProjectIsOneEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var p *db.Project
		e := w.onlyEvent(t, func() {
			p = must(w.catalog.CreateProject(w.root, catalog.CreateProjectInput{Key: "new", Name: "Neu ✓", Labels: []*catalog.LabelInput{
				{Key: "tier", Value: "2"}, {Key: "tier", Value: "1"}, {Key: "tier", Value: "2"},
			}}))(t)
		})
		if e.Type != "PROJECT_CREATED" || e.ProjectKey != "new" || e.Subject != "new" {
			t.Errorf("got event %s of project %q about %q", e.Type, e.ProjectKey, e.Subject)
		}
		if got, want := changes(t, e), "name: - → Neu ✓\nlabels: - → tier=2\nlabels: - → tier=1"; got != want {
			t.Errorf("the event says\n%s\nwant\n%s", got, want)
		}
		labels := must(w.catalog.LabelsOfProjects(w.root, []int{p.ID, w.shop.ID}))(t)
		if got := labels[p.ID]; len(got) != 2 || got[0].Value != "1" || got[1].Value != "2" || len(labels[w.shop.ID]) != 0 {
			t.Errorf("got labels %v", labels)
		}
	})
}

func TestRule01_OfEightProjectsWithOneKeyAtOnceOneIsMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		errs := atOnce(8, func(i int) error {
			_, err := w.catalog.CreateProject(w.root, catalog.CreateProjectInput{Key: "new", Name: fmt.Sprint(i)})
			return err
		})
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				wantFault(t, err, fault.Conflict, "input.key", "taken")
			}
		}
		if made != 1 {
			t.Errorf("%d were made", made)
		}
	})
}

// atOnce calls fn n times, all starting together.
func atOnce(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = fn(i)
		})
	}
	close(begin)
	wg.Wait()
	return errs
}

func TestRule45_WhatIsOutOfReachDoesNotExist(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if p := must(w.catalog.Project(w.shopViewer, "bank"))(t); p != nil {
			t.Errorf("project bank exists for shop's viewer: %v", p)
		}
		if a := must(w.catalog.Application(w.shopViewer, "ledger"))(t); a != nil {
			t.Errorf("application ledger exists for shop's viewer: %v", a)
		}
		if a := must(w.catalog.Application(w.shopViewer, "checkout"))(t); a == nil || a.ID != w.checkout.ID {
			t.Errorf("application checkout does not exist for shop's viewer")
		}
		if a := must(w.catalog.Application(context.Background(), "checkout"))(t); a != nil {
			t.Errorf("application checkout exists for nobody")
		}
		projects := must(w.catalog.Projects(w.shopViewer, nil, ptr(10), nil, nil))(t)
		if len(projects.Edges) != 1 || projects.Edges[0].Node.Key != "shop" {
			t.Errorf("shop's viewer sees %d projects", len(projects.Edges))
		}
		applications := must(w.catalog.Applications(w.shopViewer, nil, nil, nil, ptr(10), nil, nil))(t)
		if len(applications.Edges) != 1 || applications.Edges[0].Node.Key != "checkout" {
			t.Errorf("shop's viewer sees %d applications", len(applications.Edges))
		}
		if c := must(w.catalog.ApplicationsOf(w.shopViewer, w.bank.ID, nil, ptr(10), nil, nil))(t); len(c.Edges) != 0 {
			t.Errorf("shop's viewer sees %d applications of bank", len(c.Edges))
		}
		must(w.catalog.CreateStage(w.root, catalog.CreateStageInput{ProjectKey: ptr("bank"), Name: "VAULT", Category: stage.CategoryPROMOTE}))(t)
		for _, s := range must(w.catalog.StagesOf(w.shopViewer, w.bank.ID))(t) {
			if s.ProjectID != nil {
				t.Errorf("shop's viewer sees stage %s of bank", s.Name)
			}
		}
	})
}

func TestApplicationsComeOldestFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: "a-newer-one", Name: "A"}))(t)
		page := must(w.catalog.ApplicationsOf(w.root, w.shop.ID, nil, ptr(1), nil, nil))(t)
		if len(page.Edges) != 1 || page.Edges[0].Node.Key != "checkout" {
			t.Fatalf("the first page is %v", page.Edges)
		}
		page = must(w.catalog.ApplicationsOf(w.root, w.shop.ID, &page.Edges[0].Cursor, ptr(1), nil, nil))(t)
		if len(page.Edges) != 1 || page.Edges[0].Node.Key != "a-newer-one" {
			t.Errorf("the second page is %v", page.Edges)
		}
	})
}
