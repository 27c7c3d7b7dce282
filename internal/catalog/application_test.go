package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
)

func createApplication(who func(*world) context.Context, change func(*catalog.CreateApplicationInput)) func(*world) error {
	return func(w *world) error {
		in := catalog.CreateApplicationInput{ProjectKey: "shop", Key: "new", Name: "New"}
		change(&in)
		_, err := w.catalog.CreateApplication(who(w), in)
		return err
	}
}

func owners(n int) (refs []string) {
	for i := range n {
		refs = append(refs, fmt.Sprintf("team:t%d", i))
	}
	return refs
}

func TestRule01_ApplicationsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		type in = catalog.CreateApplicationInput
		refuse(t, w, []refusal{
			{"a key of one letter", createApplication(root, func(in *in) { in.Key = "a" }), fault.BadInput, "input.key", "2 to 64"},
			{"no project", createApplication(root, func(in *in) { in.ProjectKey = "" }), fault.BadInput, "input.projectKey", "2 to 64"},
			{"a name with a line break", createApplication(root, func(in *in) { in.Name = "a\nb" }), fault.BadInput, "input.name", "line breaks"},
			{"a long description", createApplication(root, func(in *in) { in.Description = ptr(strings.Repeat("d", 4001)) }), fault.BadInput, "input.description", "at most 4000"},
			{"an unknown criticality", createApplication(root, func(in *in) { in.Criticality = "URGENT" }), fault.BadInput, "input.criticality", "CRITICAL"},
			{"an unknown maturity", createApplication(root, func(in *in) { in.Maturity = "RIPE" }), fault.BadInput, "input.maturity", "END_OF_LIFE"},
			{"a label that ends with a dot", createApplication(root, func(in *in) { in.Labels = []*catalog.LabelInput{{Key: "a.", Value: "b"}} }), fault.BadInput, "input.labels.0.key", "letter or digit"},
			{"51 owners", createApplication(root, func(in *in) { in.Owners = owners(51) }), fault.BadInput, "input.owners", "at most 50"},
			{"an owner who is neither user nor team", createApplication(root, func(in *in) { in.Owners = []string{"team:a", "robot:b"} }), fault.BadInput, "input.owners.1", "user: or team:"},
			{"an empty lifecycle", createApplication(root, func(in *in) { in.Lifecycle = ptr("") }), fault.BadInput, "input.lifecycle", "at least 1"},
			{"a lifecycle that is not there", createApplication(root, func(in *in) { in.Lifecycle = ptr("fast") }), fault.BadInput, "input.lifecycle", "setLifecycle"},
			{"a default lifecycle, by name, that is not there", createApplication(root, func(in *in) { in.ProjectKey, in.Lifecycle = "bank", ptr("default") }), fault.BadInput, "input.lifecycle", "setLifecycle"},
			{"a project that is not there", createApplication(root, func(in *in) { in.ProjectKey = "nowhere" }), fault.NotFound, "input.projectKey", "no project"},
			{"a project out of sight", createApplication(shopAdmin, func(in *in) { in.ProjectKey = "bank" }), fault.NotFound, "input.projectKey", "no project"},
			{"a key that is taken", createApplication(root, func(in *in) { in.Key = "checkout" }), fault.Conflict, "input.key", "taken"},
			{"a key that is taken out of sight", createApplication(shopAdmin, func(in *in) { in.Key = "ledger" }), fault.Conflict, "input.key", "taken"},
			{"a name that the project has", createApplication(root, func(in *in) { in.Name = "Checkout" }), fault.Conflict, "input.name", "project shop"},
			{"a viewer asking", createApplication(shopViewer, func(*in) {}), fault.Forbidden, "", "CONTRIBUTOR"},
			{"a viewer asking for a key that is taken", createApplication(shopViewer, func(in *in) { in.Key = "checkout" }), fault.Forbidden, "", "CONTRIBUTOR"},
			{"nobody asking", createApplication(nobody, func(*in) {}), fault.NotFound, "input.projectKey", "no project"},
		})
	})
}

func TestRule01_ANameIsUniqueInItsProjectAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(w.catalog.CreateApplication(w.bankAdmin, catalog.CreateApplicationInput{ProjectKey: "bank", Key: "checkout-2", Name: "Checkout"}))(t)
	})
}

func TestRule40_RegisteringAnApplicationIsOneEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var a *db.Application
		e := w.onlyEvent(t, func() {
			a = must(w.catalog.CreateApplication(w.shopContributor, catalog.CreateApplicationInput{
				ProjectKey: "shop", Key: "search", Name: "Search", Description: ptr("finds\nthings"), Criticality: application.CriticalityHIGH,
				Labels: []*catalog.LabelInput{{Key: "tier", Value: "1"}},
				Owners: []string{"User:Ann@Example.org", "team:search", "user:ann@example.org"},
			}))(t)
		})
		want := "name: - → Search\ndescription: - → finds\nthings\ncriticality: - → HIGH\nmaturity: - → UNSPECIFIED\n" +
			"lifecycle: - → default\nlabels: - → tier=1\nowners: - → user:ann@example.org\nowners: - → team:search"
		if got := changes(t, e); got != want {
			t.Errorf("the event says\n%s\nwant\n%s", got, want)
		}
		actor := must(activity.Actor(w.root, e))(t)
		if e.Type != "APPLICATION_CREATED" || e.ProjectKey != "shop" || e.ApplicationKey != "search" || e.Subject != "search" || actor != "shop-contributor" {
			t.Errorf("got event %s of %q, %q about %q by %s", e.Type, e.ProjectKey, e.ApplicationKey, e.Subject, actor)
		}
		if bytes.Contains(bytes.ToLower(e.Leaf), []byte("ann@")) || strings.Contains(e.Summary, "ann") {
			t.Error("a person's name stands in what cannot be erased")
		}
		if a.Criticality != "HIGH" || a.Maturity != "UNSPECIFIED" || a.Description != "finds\nthings" || a.LifecycleID == nil || !a.CreatedAt.Equal(start) {
			t.Errorf("got %v", a)
		}
	})
}

func TestOwnersHaveOneSpellingAndAPseudonym(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: "new", Name: "New", Owners: []string{"TEAM:Pay", "user:Ann"}}))(t)
		must(w.catalog.UpdateApplication(w.root, catalog.UpdateApplicationInput{Key: "checkout", Owners: &catalog.OwnerChanges{Add: []string{"user:ANN"}}}))(t)
		got := must(w.catalog.OwnersOf(w.root, []int{a.ID, w.checkout.ID, w.ledger.ID}))(t)
		if len(got[a.ID]) != 2 || got[a.ID][0].Ref != "team:pay" || got[a.ID][0].Pseudonym != "team:pay" || got[a.ID][1].Ref != "user:ann" {
			t.Errorf("new is owned by %v", got[a.ID])
		}
		if p := got[a.ID][1].Pseudonym; !strings.HasPrefix(p, "person:") || len(p) != len("person:")+16 || strings.Contains(p, "ann") {
			t.Errorf("ann's pseudonym is %q", p)
		}
		if len(got[w.checkout.ID]) != 1 || got[w.checkout.ID][0].ID != got[a.ID][1].ID {
			t.Errorf("checkout is owned by %v", got[w.checkout.ID])
		}
		if len(got[w.ledger.ID]) != 0 {
			t.Errorf("ledger is owned by %v", got[w.ledger.ID])
		}
	})
}

func TestRule45_OwnersOfWhatIsOutOfReachAreNotShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(w.catalog.UpdateApplication(w.bankAdmin, catalog.UpdateApplicationInput{
			Key: "ledger", Owners: &catalog.OwnerChanges{Add: []string{"team:bank"}}, Labels: &catalog.LabelChanges{Add: []*catalog.LabelInput{{Key: "a", Value: "b"}}},
		}))(t)
		if got := must(w.catalog.OwnersOf(w.shopAdmin, []int{w.ledger.ID}))(t); len(got) != 0 {
			t.Errorf("shop's admin sees owners %v", got)
		}
		if got := must(w.catalog.LabelsOfApplications(w.shopAdmin, []int{w.ledger.ID}))(t); len(got) != 0 {
			t.Errorf("shop's admin sees labels %v", got)
		}
	})
}

func TestOwnerReferences(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"user:a", "team:a.b_c@d+e-f", "USER:A1", "team:" + strings.Repeat("a", 200)} {
		if got, err := catalog.OwnerRef("x", ref); err != nil || got != strings.ToLower(ref) {
			t.Errorf("%s: got %q, %v", ref, got, err)
		}
	}
	for _, ref := range []string{
		"", "user", "user:", "team:", "ann", "group:ann", "user: ann", "user:.ann", "user:-", "user:a b", "user:a/b", "user:a:b",
		"user:größe", "user:\u212aim", "user:a\n", "user:a\x00", "team:" + strings.Repeat("a", 201), " user:a", "user:a\xff",
	} {
		_, err := catalog.OwnerRef("input.owners.3", ref)
		wantFault(t, err, fault.BadInput, "input.owners.3", "user: or team:")
	}
}

func FuzzOwnerRef(f *testing.F) {
	for _, seed := range []string{"user:ann", "TEAM:A", "user:\u212a", "team:\u0130", "user:", ":", "user:a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ref, err := catalog.OwnerRef("x", in)
		if err != nil {
			return
		}
		if again, err := catalog.OwnerRef("x", ref); err != nil || again != ref {
			t.Errorf("%q gave %q, then %q, %v", in, ref, again, err)
		}
		if strings.ContainsFunc(ref, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q gave %q", in, ref)
		}
	})
}

func updateApplication(who func(*world) context.Context, change func(*catalog.UpdateApplicationInput)) func(*world) error {
	return func(w *world) error {
		in := catalog.UpdateApplicationInput{Key: "checkout"}
		change(&in)
		_, err := w.catalog.UpdateApplication(who(w), in)
		return err
	}
}

func TestRule02_UpdatesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		type in = catalog.UpdateApplicationInput
		label := func(k, v string) []*catalog.LabelInput { return []*catalog.LabelInput{{Key: k, Value: v}} }
		var hundred []*catalog.LabelInput
		for i := range 100 {
			hundred = append(hundred, label("k", fmt.Sprint(i))...)
		}
		must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: "full", Name: "Full", Labels: hundred, Owners: owners(50)}))(t)
		refuse(t, w, []refusal{
			{"a key that is none", updateApplication(root, func(in *in) { in.Key = "-" }), fault.BadInput, "input.key", "2 to 64"},
			{"an empty name", updateApplication(root, func(in *in) { in.Name = ptr("") }), fault.BadInput, "input.name", "at least 1"},
			{"a long description", updateApplication(root, func(in *in) { in.Description = ptr(strings.Repeat("é", 4001)) }), fault.BadInput, "input.description", "at most 4000"},
			{"an unknown criticality", updateApplication(root, func(in *in) { in.Criticality = ptr(application.Criticality("URGENT")) }), fault.BadInput, "input.criticality", "CRITICAL"},
			{"an unknown maturity", updateApplication(root, func(in *in) { in.Maturity = ptr(application.Maturity("")) }), fault.BadInput, "input.maturity", "END_OF_LIFE"},
			{"a label to add without a value", updateApplication(root, func(in *in) { in.Labels = &catalog.LabelChanges{Add: label("a", "")} }), fault.BadInput, "input.labels.add.0.value", "at least 1"},
			{"a label to remove without a key", updateApplication(root, func(in *in) { in.Labels = &catalog.LabelChanges{Remove: label("", "a")} }), fault.BadInput, "input.labels.remove.0.key", "at least 1"},
			{"a label to add and to remove", updateApplication(root, func(in *in) { in.Labels = &catalog.LabelChanges{Add: label("a", "b"), Remove: label("a", "b")} }), fault.BadInput, "input.labels.remove.0", "added as well"},
			{"an owner to add who is none", updateApplication(root, func(in *in) { in.Owners = &catalog.OwnerChanges{Add: []string{"ann"}} }), fault.BadInput, "input.owners.add.0", "user: or team:"},
			{"an owner to add and, in other letters, to remove", updateApplication(root, func(in *in) {
				in.Owners = &catalog.OwnerChanges{Add: []string{"team:a"}, Remove: []string{"team:A"}}
			}), fault.BadInput, "input.owners.remove", "added as well"},
			{"the 101st label", updateApplication(root, func(in *in) { in.Key, in.Labels = "full", &catalog.LabelChanges{Add: label("k", "new")} }), fault.BadInput, "input.labels.add", "at most 100"},
			{"the 51st owner", updateApplication(root, func(in *in) { in.Key, in.Owners = "full", &catalog.OwnerChanges{Add: []string{"team:new"}} }), fault.BadInput, "input.owners.add", "at most 50"},
			{"a name that the project has", updateApplication(root, func(in *in) { in.Name = ptr("Full") }), fault.Conflict, "input.name", "project shop"},
			{"an application that is not there", updateApplication(root, func(in *in) { in.Key = "nowhere" }), fault.NotFound, "input.key", "no application"},
			{"an application out of sight", updateApplication(shopAdmin, func(in *in) { in.Key = "ledger" }), fault.NotFound, "input.key", "no application"},
			{"a contributor asking", updateApplication(shopContributor, func(in *in) { in.Name = ptr("X") }), fault.Forbidden, "", "PROJECT_ADMIN"},
			{"a contributor asking for nothing", updateApplication(shopContributor, func(*in) {}), fault.Forbidden, "", "PROJECT_ADMIN"},
			{"nobody asking", updateApplication(nobody, func(*in) {}), fault.NotFound, "input.key", "no application"},
		})
		a := must(w.catalog.Application(w.root, "full"))(t)
		if n := len(must(w.catalog.LabelsOfApplications(w.root, []int{a.ID}))(t)[a.ID]); n != 100 {
			t.Errorf("%d labels are left", n)
		}
	})
}

func TestRule40_AnUpdateSaysWhatChangedAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		label := func(k, v string) *catalog.LabelInput { return &catalog.LabelInput{Key: k, Value: v} }
		in := catalog.UpdateApplicationInput{
			Key: "checkout", Name: ptr("Till"), Description: ptr("takes money"), Criticality: ptr(application.CriticalityCRITICAL),
			Maturity: ptr(application.MaturityPRODUCTION),
			Labels:   &catalog.LabelChanges{Add: []*catalog.LabelInput{label("tier", "1"), label("tier", "2")}, Remove: []*catalog.LabelInput{label("no", "such")}},
			Owners:   &catalog.OwnerChanges{Add: []string{"team:pay", "user:ann"}, Remove: []string{"team:nobody"}},
		}
		var a *db.Application
		e := w.onlyEvent(t, func() { a = must(w.catalog.UpdateApplication(w.shopAdmin, in))(t) })
		want := "name: Checkout → Till\ndescription:  → takes money\ncriticality: UNSPECIFIED → CRITICAL\nmaturity: UNSPECIFIED → PRODUCTION\n" +
			"labels: - → tier=1\nlabels: - → tier=2\nowners: - → team:pay\nowners: - → user:ann"
		if got := changes(t, e); got != want {
			t.Errorf("the event says\n%s\nwant\n%s", got, want)
		}
		if a.Name != "Till" || a.Criticality != "CRITICAL" || a.Key != "checkout" {
			t.Errorf("got %v", a)
		}
		w.noEvent(t, func() { must(w.catalog.UpdateApplication(w.shopAdmin, in))(t) })
		w.noEvent(t, func() {
			must(w.catalog.UpdateApplication(w.shopAdmin, catalog.UpdateApplicationInput{Key: "checkout"}))(t)
		})

		e = w.onlyEvent(t, func() {
			must(w.catalog.UpdateApplication(w.shopAdmin, catalog.UpdateApplicationInput{
				Key:    "checkout",
				Labels: &catalog.LabelChanges{Add: []*catalog.LabelInput{label("tier", "2"), label("tier", "3")}, Remove: []*catalog.LabelInput{label("tier", "1")}},
				Owners: &catalog.OwnerChanges{Remove: []string{"user:Ann"}},
			}))(t)
		})
		if got, want := changes(t, e), "labels: tier=1 → -\nlabels: - → tier=3\nowners: user:ann → -"; got != want {
			t.Errorf("the event says\n%s\nwant\n%s", got, want)
		}
		if bytes.Contains(e.Leaf, []byte("ann")) {
			t.Error("a person's name stands in the leaf")
		}
		labels := must(w.catalog.LabelsOfApplications(w.shopViewer, []int{a.ID}))(t)[a.ID]
		if len(labels) != 2 || labels[0].Value != "2" || labels[1].Value != "3" {
			t.Errorf("the labels are %v", labels)
		}
	})
}

func TestRule09_WhoOwnedAnApplicationOnThatDayHasAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		change := func(c catalog.OwnerChanges) {
			must(w.catalog.UpdateApplication(w.shopAdmin, catalog.UpdateApplicationInput{Key: "checkout", Owners: &c}))(t)
			w.clock.pass(24 * time.Hour)
		}
		change(catalog.OwnerChanges{Add: []string{"team:a"}})
		change(catalog.OwnerChanges{Remove: []string{"team:a"}, Add: []string{"team:b"}})
		change(catalog.OwnerChanges{Add: []string{"team:a"}})
		rows, err := w.client.Ownership.Query().Order(ownership.ByID()).WithOwner().All(w.root)
		if err != nil {
			t.Fatal(err)
		}
		admin, err := auth.From(w.shopAdmin)
		if err != nil {
			t.Fatal(err)
		}
		day := func(n int) time.Time { return start.Add(time.Duration(n) * 24 * time.Hour) }
		want := []struct {
			ref   string
			since time.Time
			until *time.Time
		}{{"team:a", day(0), ptr(day(1))}, {"team:b", day(1), nil}, {"team:a", day(2), nil}}
		if len(rows) != len(want) {
			t.Fatalf("%d periods, want %d", len(rows), len(want))
		}
		for i, r := range rows {
			if r.Edges.Owner.Ref != want[i].ref || !r.Since.Equal(want[i].since) || r.AssignedBy != admin.ID {
				t.Errorf("period %d: %s since %s by %d", i, r.Edges.Owner.Ref, r.Since, r.AssignedBy)
			}
			if (r.Until == nil) != (want[i].until == nil) || r.Until != nil && (!r.Until.Equal(*want[i].until) || *r.RemovedBy != admin.ID) {
				t.Errorf("period %d ends %v", i, r.Until)
			}
		}
	})
}

func TestEightUpdatesAtOnceOwnAnApplicationOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		errs := atOnce(8, func(i int) error {
			_, err := w.catalog.UpdateApplication(w.shopAdmin, catalog.UpdateApplicationInput{
				Key: "checkout", Owners: &catalog.OwnerChanges{Add: []string{"team:b", "user:a"}}, Labels: &catalog.LabelChanges{Add: []*catalog.LabelInput{{Key: "a", Value: "b"}}},
			})
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		got := must(w.catalog.OwnersOf(w.root, []int{w.checkout.ID}))(t)[w.checkout.ID]
		if len(got) != 2 || got[0].Ref != "team:b" {
			t.Errorf("the owners are %v", got)
		}
		updated := 0
		for _, e := range w.events(t, 0) {
			if e.Type == "APPLICATION_UPDATED" {
				updated++
			}
		}
		if updated != 1 {
			t.Errorf("%d events", updated)
		}
	})
}

func TestEightApplicationsAtOnceShareNewOwners(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		refs := []string{"team:c", "user:a", "team:b"}
		errs := atOnce(8, func(i int) error {
			_, err := w.catalog.CreateApplication(w.shopAdmin, catalog.CreateApplicationInput{
				ProjectKey: "shop", Key: fmt.Sprintf("app-%d", i), Name: fmt.Sprint(i), Owners: slices.Concat(refs[i%3:], refs[:i%3]),
			})
			return err
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		n, err := w.client.Owner.Query().Count(w.root)
		if err != nil || n != 3 {
			t.Errorf("%d owners, %v", n, err)
		}
	})
}
