package catalog_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const why = "use the one of the language"

func deprecate(p string) catalog.DeprecatePackageInput {
	return catalog.DeprecatePackageInput{PURL: p, Reason: ptr(why), Deprecated: true}
}

// deprecated are the names of the packages that whoever asks is told not to use.
func (w *world) deprecated(t *testing.T, who context.Context) string { //nolint:revive // as testing.T's helpers have it
	t.Helper()
	page := must(w.catalog.DeprecatedPackages(who, nil, ptr(10), nil, nil))(t)
	var names []string
	for _, e := range page.Edges {
		names = append(names, e.Node.Purl[strings.LastIndex(e.Node.Purl, "/")+1:])
	}
	if page.TotalCount != len(names) {
		t.Errorf("the total is %d of %v", page.TotalCount, names)
	}
	return strings.Join(names, " ")
}

func TestDeprecatingIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		as := func(who func(*world) context.Context, in catalog.DeprecatePackageInput) func(*world) error {
			return func(w *world) error {
				_, err := w.catalog.DeprecatePackage(who(w), in)
				return err
			}
		}
		reason := func(r *string) catalog.DeprecatePackageInput {
			return catalog.DeprecatePackageInput{PURL: "pkg:npm/%40acme/pay", Reason: r, Deprecated: true}
		}
		contributor := func(w *world) context.Context { return w.shopContributor }
		refuse(t, w, []refusal{
			{"what is no purl", as(root, deprecate("npm/pay")), fault.BadInput, "input.purl", "package URL"},
			{"a version", as(root, deprecate("pkg:npm/%40acme/pay@1")), fault.BadInput, "input.purl", "as a whole"},
			{"no reason", as(root, reason(nil)), fault.BadInput, "input.reason", "say why"},
			{"a short reason", as(root, reason(ptr("too old"))), fault.BadInput, "input.reason", "at least 10"},
			{"a blank reason", as(root, reason(ptr(strings.Repeat(" ", 20)))), fault.BadInput, "input.reason", "blank"},
			{"a long reason", as(root, reason(ptr(strings.Repeat("a", 2001)))), fault.BadInput, "input.reason", "at most 2000"},
			{"what nobody knows", as(contributor, deprecate("pkg:npm/unheard-of")), fault.NotFound, "input.purl", "no package"},
			{"to take back what never was", as(root, catalog.DeprecatePackageInput{PURL: "pkg:npm/unheard-of"}), fault.NotFound, "input.purl", "no package"},
			{"what is out of reach", as(contributor, deprecate("pkg:npm/ledger")), fault.NotFound, "input.purl", "no package"},
			{"a viewer", as(func(w *world) context.Context { return w.shopViewer }, deprecate("pkg:npm/%40acme/pay")), fault.Forbidden, "", "CONTRIBUTOR"},
			{"what others own", as(contributor, deprecate("pkg:npm/shared")), fault.Forbidden, "", "this project"},
			{"what nobody owns", as(contributor, deprecate("pkg:npm/free")), fault.Forbidden, "", "organisation"},
		})
	})
}

// TestWhatOnlySbomsListIsDeprecated: nobody owns it, nobody released it, and it is what this is for.
func TestWhatOnlySbomsListIsDeprecated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		must(w.catalog.DeprecatePackage(root(w), deprecate("pkg:npm/unheard-of")))(t)
		if got := w.deprecated(t, root(w)); got != "unheard-of" {
			t.Errorf("deprecated: %q", got)
		}
	})
}

func TestAPackageIsDeprecatedUntilThatIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		pay := deprecate("pkg:NPM/@acme/pay") // in another spelling
		e := w.onlyEvent(t, func() {
			p := must(w.catalog.DeprecatePackage(w.shopContributor, pay))(t)
			if p.DeprecatedReason != why || p.DeprecatedAt == nil || !p.DeprecatedAt.Equal(w.clock.now()) {
				t.Errorf("got %q since %v", p.DeprecatedReason, p.DeprecatedAt)
			}
		})
		if got := changes(t, e); got != "deprecated: - → "+why || e.ProjectID == nil || *e.ProjectID != w.shop.ID {
			t.Errorf("the event of %v says %s", e.ProjectID, got)
		}
		since := w.clock.now()
		w.clock.pass(time.Hour)
		w.noEvent(t, func() { must(w.catalog.DeprecatePackage(w.shopContributor, pay))(t) })
		pay.Reason = ptr("and it is broken, too")
		e = w.onlyEvent(t, func() {
			if p := must(w.catalog.DeprecatePackage(w.shopContributor, pay))(t); p.DeprecatedReason != *pay.Reason || !p.DeprecatedAt.Equal(since) {
				t.Errorf("another reason gives %q since %v", p.DeprecatedReason, p.DeprecatedAt)
			}
		})
		if got := changes(t, e); got != "deprecated: "+why+" → "+*pay.Reason {
			t.Errorf("the event says %s", got)
		}
		e = w.onlyEvent(t, func() { must(w.catalog.DeprecatePackage(w.root, deprecate("pkg:npm/free")))(t) })
		if e.ProjectID != nil {
			t.Errorf("the event of what nobody owns is of project %d", *e.ProjectID)
		}
		must(w.catalog.DeprecatePackage(w.root, deprecate("pkg:npm/ledger")))(t)
		if got := w.deprecated(t, w.root); got != "pay ledger free" {
			t.Errorf("root is told of %q", got)
		}
		if got := w.deprecated(t, w.shopViewer); got != "pay free" {
			t.Errorf("shop's viewer is told of %q", got)
		}
		for _, who := range []context.Context{w.root, w.shopViewer} {
			testdb.NoScans(who, t, w.dsn, func(ctx context.Context) error {
				_, err := w.catalog.DeprecatedPackages(ctx, nil, ptr(10), nil, nil)
				return err
			})
		}
		pay.Deprecated, pay.Reason = false, nil
		e = w.onlyEvent(t, func() {
			if p := must(w.catalog.DeprecatePackage(w.shopContributor, pay))(t); p.DeprecatedAt != nil || p.DeprecatedReason != "" {
				t.Errorf("taken back, it is deprecated since %v: %q", p.DeprecatedAt, p.DeprecatedReason)
			}
		})
		if !strings.Contains(e.Summary, "no longer") {
			t.Errorf("the event says %s", e.Summary)
		}
		w.noEvent(t, func() { must(w.catalog.DeprecatePackage(w.shopContributor, pay))(t) })
		if got := w.deprecated(t, w.root); got != "ledger free" {
			t.Errorf("root is told of %q", got)
		}
	})
}

func TestTheSameDeprecationAtOnceIsOneEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		w.onlyEvent(t, func() {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if _, err := w.catalog.DeprecatePackage(w.shopContributor, deprecate("pkg:npm/%40acme/pay")); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	})
}
