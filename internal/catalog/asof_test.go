package catalog_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// packageID finds a package past anybody's reach.
func (w *world) packageID(t *testing.T, text string) int {
	t.Helper()
	return must(w.client.Pkg.Query().Where(pkg.Purl(text)).OnlyID(auth.System(t.Context())))(t)
}

// TestRule09_WhoOwnedAPackageOnThatDay moves a package from checkout to ledger: each instant has its owner.
func TestRule09_WhoOwnedAPackageOnThatDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
		steps := []func(*world) error{
			bind(root, "checkout", cart), bind(root, "ledger", cart+"@1.0.0"), unbind(root, "checkout", cart), bind(root, "ledger", cart),
		}
		for _, step := range steps { // at 1, 2, 3 and 4 hours
			w.clock.pass(time.Hour)
			if err := step(w); err != nil {
				t.Fatal(err)
			}
		}
		id := w.packageID(t, cart)
		var asked []catalog.AsOf
		for _, hours := range []int{0, 1, 2, 3, 4, 1000} {
			asked = append(asked, catalog.AsOf{ID: id, At: at(hours)})
		}
		names := func(ctx context.Context) string {
			owning := must(w.catalog.OwningApplicationsAsOf(ctx, asked))(t)
			var keys []string
			for _, a := range asked {
				if owning[a] == nil {
					keys = append(keys, "-")
				} else {
					keys = append(keys, owning[a].Key)
				}
			}
			return strings.Join(keys, " ")
		}
		if got, want := names(w.root), "- checkout checkout - ledger ledger"; got != want {
			t.Errorf("it belonged to %s, want %s", got, want)
		}
		if got, want := names(w.shopViewer), "- checkout checkout - - -"; got != want {
			t.Errorf("shop's viewer sees that it belonged to %s, want %s", got, want)
		}
		bindings := func(ctx context.Context) string {
			page := must(w.catalog.BindingsOf(ctx, id, nil, ptr(10), nil, nil))(t)
			var ids []int
			for _, e := range page.Edges {
				ids = append(ids, e.Node.ID)
			}
			purls := must(w.catalog.PurlsOfBindings(ctx, ids))(t)
			var all []string
			for _, n := range ids {
				all = append(all, purls[n])
			}
			return strings.Join(all, " ")
		}
		if got, want := bindings(w.root), strings.Join([]string{cart, cart + "@1.0.0", cart}, " "); got != want {
			t.Errorf("the bindings are of %s, want %s", got, want)
		}
		if got := bindings(w.shopViewer); got != cart {
			t.Errorf("shop's viewer sees the bindings of %s", got)
		}
	})
}

// TestRule09_WhoAnsweredOnThatDay ends an ownership and begins another.
func TestRule09_WhoAnsweredOnThatDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		change := func(changes catalog.OwnerChanges) {
			w.clock.pass(time.Hour)
			must(w.catalog.UpdateApplication(w.root, catalog.UpdateApplicationInput{Key: "checkout", Owners: &changes}))(t)
		}
		change(catalog.OwnerChanges{Add: []string{"team:web", "user:robin"}})
		change(catalog.OwnerChanges{Remove: []string{"team:web"}})
		change(catalog.OwnerChanges{Add: []string{"team:web"}})
		var asked []catalog.AsOf
		for hours := range 5 {
			asked = append(asked, catalog.AsOf{ID: w.checkout.ID, At: start.Add(time.Duration(hours) * time.Hour)})
		}
		names := func(ctx context.Context) string {
			found := must(w.catalog.OwnersAsOf(ctx, asked))(t)
			var all []string
			for _, a := range asked {
				var refs []string
				for _, o := range found[a] {
					refs = append(refs, o.Ref)
				}
				all = append(all, strings.Join(refs, "+"))
			}
			return strings.Join(all, " ")
		}
		if got, want := names(w.shopViewer), " team:web+user:robin user:robin user:robin+team:web user:robin+team:web"; got != want {
			t.Errorf("it had the owners %q, want %q", got, want)
		}
		if got := names(w.bankAdmin); strings.TrimSpace(got) != "" {
			t.Errorf("bank's admin sees the owners %q", got)
		}
		history := must(w.catalog.OwnerHistory(w.shopViewer, w.checkout.ID, nil, ptr(10), nil, nil))(t)
		if n := len(history.Edges); n != 3 || history.Edges[0].Node.Until == nil || history.Edges[0].Node.RemovedBy == nil || history.Edges[2].Node.Until != nil {
			t.Errorf("the history has %d periods: %+v", n, history.Edges)
		}
		if h := must(w.catalog.OwnerHistory(w.bankAdmin, w.checkout.ID, nil, ptr(10), nil, nil))(t); h.TotalCount != 0 {
			t.Errorf("bank's admin sees %d periods", h.TotalCount)
		}
		for name, read := range map[string]func(context.Context) error{
			"owners":   func(ctx context.Context) error { _, err := w.catalog.OwnersAsOf(ctx, asked); return err },
			"packages": func(ctx context.Context) error { _, err := w.catalog.OwningApplicationsAsOf(ctx, asked); return err },
			"purls":    func(ctx context.Context) error { _, err := w.catalog.PurlsOfBindings(ctx, []int{1, 2}); return err },
			"history": func(ctx context.Context) error {
				_, err := w.catalog.OwnerHistory(ctx, w.checkout.ID, nil, ptr(10), nil, nil)
				return err
			},
			"bindings": func(ctx context.Context) error {
				_, err := w.catalog.BindingsOf(ctx, 1, nil, ptr(10), nil, nil)
				return err
			},
		} {
			t.Run(name, func(t *testing.T) { testdb.NoScans(w.shopViewer, t, w.dsn, read) })
		}
	})
}

func TestApplicationsAreArchivedAndBroughtBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		archive := func(who context.Context, archived bool) *db.Application {
			return must(w.catalog.ArchiveApplication(who, catalog.ArchiveApplicationInput{Key: "checkout", Archived: archived}))(t)
		}
		e := w.onlyEvent(t, func() {
			if a := archive(w.shopAdmin, true); a.ArchivedAt == nil || !a.ArchivedAt.Equal(start) {
				t.Errorf("it was archived at %v", a.ArchivedAt)
			}
		})
		if e.Type != "APPLICATION_UPDATED" || e.Summary != "Application checkout was archived." || changes(t, e) != "archived: false → true" {
			t.Errorf("the event is %s %q: %s", e.Type, e.Summary, changes(t, e))
		}
		w.noEvent(t, func() { archive(w.shopAdmin, true) })
		must(w.catalog.UpdateApplication(w.shopAdmin, catalog.UpdateApplicationInput{Key: "checkout", Description: ptr("kept")}))(t)
		if c := must(w.catalog.ApplicationsOf(w.shopAdmin, w.shop.ID, nil, ptr(10), nil, nil))(t); c.TotalCount != 0 {
			t.Errorf("the project lists %d applications", c.TotalCount)
		}
		e = w.onlyEvent(t, func() { archive(w.shopAdmin, false) })
		if e.Summary != "Application checkout was brought back." || changes(t, e) != "archived: true → false" {
			t.Errorf("the event is %q: %s", e.Summary, changes(t, e))
		}
		w.noEvent(t, func() { archive(w.shopAdmin, false) })
		call := func(who func(*world) context.Context, key string) func(*world) error {
			return func(w *world) error {
				_, err := w.catalog.ArchiveApplication(who(w), catalog.ArchiveApplicationInput{Key: key, Archived: true})
				return err
			}
		}
		refuse(t, w, []refusal{
			{"a key that is none", call(root, "-"), fault.BadInput, "input.key", "2 to 64"},
			{"an application that is not there", call(root, "nothing"), fault.NotFound, "input.key", "no application"},
			{"an application out of sight", call(shopAdmin, "ledger"), fault.NotFound, "input.key", "no application"},
			{"a viewer asking", call(shopViewer, "checkout"), fault.Forbidden, "", "PROJECT_ADMIN"},
		})
	})
}
