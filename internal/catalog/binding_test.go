package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const cart = "pkg:npm/%40shop/cart"

func bind(who func(*world) context.Context, application, purl string) func(*world) error {
	return func(w *world) error {
		_, err := w.catalog.BindPackage(who(w), catalog.BindPackageInput{ApplicationKey: application, PURL: purl})
		return err
	}
}

func unbind(who func(*world) context.Context, application, purl string) func(*world) error {
	return func(w *world) error {
		_, err := w.catalog.UnbindPackage(who(w), catalog.UnbindPackageInput{ApplicationKey: application, PURL: purl})
		return err
	}
}

func both(w *world) context.Context      { return w.both }
func bankAdmin(w *world) context.Context { return w.bankAdmin }

func TestRule09_BindingsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range []string{cart, "pkg:npm/lib@1.0.0"} {
			if err := bind(root, "ledger", p)(w); err != nil {
				t.Fatal(err)
			}
		}
		if err := bind(root, "checkout", "pkg:npm/till@1.0.0")(w); err != nil {
			t.Fatal(err)
		}
		refuse(t, w, []refusal{
			{"no purl", bind(root, "checkout", ""), fault.BadInput, "input.purl", "package URL"},
			{"a purl without a name", bind(root, "checkout", "pkg:npm"), fault.BadInput, "input.purl", "package URL"},
			{"a package as a whole with a qualifier", bind(root, "checkout", "pkg:deb/debian/curl?arch=i386"), fault.BadInput, "input.purl", "qualifiers"},
			{"an application's key that is none", bind(root, "Checkout", cart), fault.BadInput, "input.applicationKey", "2 to 64"},
			{"an application that is not there", bind(root, "nowhere", cart), fault.NotFound, "input.applicationKey", "no application"},
			{"an application out of sight", bind(shopContributor, "ledger", "pkg:npm/new"), fault.NotFound, "input.applicationKey", "no application"},
			{"a viewer asking", bind(shopViewer, "checkout", "pkg:npm/new"), fault.Forbidden, "", "CONTRIBUTOR"},
			{"a viewer asking for what is taken", bind(shopViewer, "checkout", cart), fault.Forbidden, "", "CONTRIBUTOR"},
			{"nobody asking", bind(nobody, "checkout", cart), fault.NotFound, "input.applicationKey", "no application"},
			{"a package that another application owns", bind(root, "checkout", cart), fault.Conflict, "input.purl", "application ledger"},
			{"that package in another spelling", bind(both, "checkout", "pkg:NPM/@shop/cart"), fault.Conflict, "input.purl", "application ledger"},
			{"a version that another application owns", bind(root, "checkout", "pkg:npm/lib@1.0.0"), fault.Conflict, "input.purl", "application ledger"},
			{"a package that an application out of sight owns", bind(shopContributor, "checkout", cart), fault.Conflict, "input.purl", "another application"},

			{"unbinding a purl that is none", unbind(root, "ledger", "cart"), fault.BadInput, "input.purl", "package URL"},
			{"unbinding from an application that is not there", unbind(root, "nowhere", cart), fault.NotFound, "input.applicationKey", "no application"},
			{"unbinding from an application out of sight", unbind(shopContributor, "ledger", cart), fault.NotFound, "input.applicationKey", "no application"},
			{"unbinding what nobody knows", unbind(root, "checkout", "pkg:npm/new"), fault.FailedPrecondition, "input.purl", "not bound"},
			{"unbinding a version that nobody knows", unbind(root, "checkout", "pkg:npm/till@2.0.0"), fault.FailedPrecondition, "input.purl", "not bound"},
			{"unbinding a package of which one version is bound", unbind(root, "checkout", "pkg:npm/till"), fault.FailedPrecondition, "input.purl", "not bound"},
			{"unbinding what another application owns", unbind(root, "checkout", cart), fault.FailedPrecondition, "input.purl", "not bound"},
			{"unbinding what an application out of sight owns", unbind(shopContributor, "checkout", cart), fault.FailedPrecondition, "input.purl", "not bound"},
			{"a viewer unbinding", unbind(shopViewer, "checkout", "pkg:npm/till@1.0.0"), fault.Forbidden, "", "CONTRIBUTOR"},
		})
	})
}

func TestRule45_AConflictDoesNotNameAnOwnerOutOfSight(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := bind(bankAdmin, "ledger", cart)(w); err != nil {
			t.Fatal(err)
		}
		f, _ := errors.AsType[*fault.Error](bind(shopContributor, "checkout", cart)(w))
		if f == nil || strings.Contains(f.Message, "ledger") || strings.Contains(f.Message, "bank") || len(f.Details) != 0 {
			t.Errorf("the conflict tells shop's contributor %v", f)
		}
		f, _ = errors.AsType[*fault.Error](bind(both, "checkout", cart)(w))
		if f == nil || f.Details["owningApplication"] != "ledger" {
			t.Errorf("the conflict tells who sees both %v", f)
		}
	})
}

func TestRule09_BindingAndUnbindingAreEventsAndPeriods(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := catalog.BindPackageInput{ApplicationKey: "checkout", PURL: "pkg:npm/@shop/cart"}
		var p *db.Pkg
		e := w.onlyEvent(t, func() { p = must(w.catalog.BindPackage(w.shopContributor, in))(t) })
		if p.Purl != cart || e.Type != "PACKAGE_BOUND" || e.ProjectKey != "shop" || e.ApplicationKey != "checkout" || e.Subject != cart || changes(t, e) != "owningApplication: - → checkout" {
			t.Errorf("binding %s wrote %s of %q about %q: %s", p.Purl, e.Type, e.ApplicationKey, e.Subject, changes(t, e))
		}
		w.noEvent(t, func() {
			if again := must(w.catalog.BindPackage(w.shopContributor, in))(t); again.ID != p.ID {
				t.Errorf("binding again gave package %d after %d", again.ID, p.ID)
			}
		})
		w.clock.pass(time.Hour)
		e = w.onlyEvent(t, func() { must(w.catalog.UnbindPackage(w.shopAdmin, catalog.UnbindPackageInput(in)))(t) })
		if e.Type != "PACKAGE_UNBOUND" || changes(t, e) != "owningApplication: checkout → -" {
			t.Errorf("unbinding wrote %s: %s", e.Type, changes(t, e))
		}
		w.noEvent(t, func() {
			_, err := w.catalog.UnbindPackage(w.shopAdmin, catalog.UnbindPackageInput(in))
			wantFault(t, err, fault.FailedPrecondition, "input.purl", "not bound")
		})
		if err := bind(bankAdmin, "ledger", cart)(w); err != nil {
			t.Errorf("what is free again is refused: %v", err)
		}
		rows, err := w.client.Binding.Query().Order(binding.ByID()).All(w.root)
		if err != nil || len(rows) != 2 {
			t.Fatalf("%d periods, %v", len(rows), err)
		}
		binder, _ := auth.From(w.shopContributor)
		unbinder, _ := auth.From(w.shopAdmin)
		first := rows[0]
		if first.ApplicationID != w.checkout.ID || !first.Since.Equal(start) || first.BoundBy != binder.ID ||
			first.Until == nil || !first.Until.Equal(start.Add(time.Hour)) || *first.UnboundBy != unbinder.ID {
			t.Errorf("the first period is %v", first)
		}
		if rows[1].ApplicationID != w.ledger.ID || rows[1].Until != nil {
			t.Errorf("the second period is %v", rows[1])
		}
	})
}

// refs names package versions by row numbers.
func (w *world) refs(t *testing.T, purls ...string) []catalog.PackageRef {
	t.Helper()
	var refs []catalog.PackageRef
	w.write(t, func(ctx context.Context, tx *db.Client) error {
		for _, text := range purls {
			p, err := purl.Parse(text)
			if err != nil {
				return err
			}
			whole, version, err := w.catalog.EnsurePackage(ctx, tx, p)
			if err != nil {
				return err
			}
			ref := catalog.PackageRef{PackageID: whole.ID}
			if version != nil {
				ref.VersionID = version.ID
			}
			refs = append(refs, ref)
		}
		return nil
	})
	return refs
}

func TestRule09_AVersionsBindingWinsOverItsPackages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		purls := []string{cart, cart + "@1.0.0", cart + "@2.0.0", "pkg:npm/free", "pkg:npm/free@1.0.0"}
		refs := w.refs(t, purls...)
		check := func(who func(*world) context.Context, want ...string) {
			t.Helper()
			got := must(w.catalog.OwningApplications(who(w), refs))(t)
			for i, ref := range refs {
				key := "-"
				if a := got[ref]; a != nil {
					key = a.Key
				}
				if key != want[i] {
					t.Errorf("%s belongs to %s, want %s", purls[i], key, want[i])
				}
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		check(root, "-", "-", "-", "-", "-")
		do(bind(root, "checkout", cart)(w))
		check(root, "checkout", "checkout", "checkout", "-", "-")
		do(bind(root, "ledger", cart+"@2.0.0")(w))
		check(root, "checkout", "checkout", "ledger", "-", "-")
		check(shopViewer, "checkout", "checkout", "-", "-", "-")
		check(bankAdmin, "-", "-", "ledger", "-", "-")
		check(nobody, "-", "-", "-", "-", "-")
		do(unbind(root, "checkout", cart)(w))
		check(root, "-", "-", "ledger", "-", "-")
		do(unbind(root, "ledger", cart+"@2.0.0")(w))
		check(root, "-", "-", "-", "-", "-")
	})
}

func TestRule09_OfEightApplicationsBindingAPackageAtOnceOneOwnsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range []string{cart, cart + "@1.0.0"} {
			keys := []string{"checkout", "ledger"}
			errs := atOnce(8, func(i int) error { return bind(root, keys[i%2], p)(w) })
			refused := 0
			for _, err := range errs {
				if err != nil {
					refused++
					wantFault(t, err, fault.Conflict, "input.purl", "belongs to application")
				}
			}
			if refused != 4 {
				t.Errorf("%s: %d were refused, want those of the application that lost: 4", p, refused)
			}
		}
		open, err := w.client.Binding.Query().All(w.root)
		if err != nil || len(open) != 2 {
			t.Errorf("%d bindings, %v", len(open), err)
		}
		bound := 0
		for _, e := range w.events(t, 0) {
			if e.Type == "PACKAGE_BOUND" {
				bound++
			}
		}
		if bound != 2 {
			t.Errorf("%d events, want one for each purl", bound)
		}
	})
}

func TestRule09_OfEightUnbindingsAtOnceOneEndsThePeriod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := bind(root, "checkout", cart)(w); err != nil {
			t.Fatal(err)
		}
		e := w.onlyEvent(t, func() {
			done := 0
			for _, err := range atOnce(8, func(int) error { return unbind(root, "checkout", cart)(w) }) {
				if err == nil {
					done++
				} else {
					wantFault(t, err, fault.FailedPrecondition, "input.purl", "not bound")
				}
			}
			if done != 1 {
				t.Errorf("%d unbound it", done)
			}
		})
		if e.Type != "PACKAGE_UNBOUND" {
			t.Errorf("got %s", e.Type)
		}
	})
}

func TestPackagesAreMadeOnceAndKeepTheirFirstDigest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var purls []purl.PURL
		digests := map[string]string{}
		for i := range 6000 { // more than one statement takes
			p, err := purl.Parse(fmt.Sprintf("pkg:golang/example.org/m%d@v1.0.%d", i/2, i))
			if err != nil {
				t.Fatal(err)
			}
			purls = append(purls, p)
			if i%2 == 0 {
				digests[p.String()] = fmt.Sprintf("sha256:%064x", i)
			}
		}
		var first, second map[string]catalog.Ensured
		w.write(t, func(ctx context.Context, tx *db.Client) (err error) {
			first, err = w.catalog.EnsurePackages(ctx, tx, purls, digests)
			return err
		})
		for text := range digests {
			digests[text] = "sha256:" + strings.Repeat("f", 64)
		}
		late := purls[1].String()
		digests[late] = "sha256:" + strings.Repeat("e", 64)
		w.write(t, func(ctx context.Context, tx *db.Client) (err error) {
			second, err = w.catalog.EnsurePackages(ctx, tx, purls, digests)
			return err
		})
		if len(first) != 6000 || len(second) != 6000 {
			t.Fatalf("got %d and %d rows", len(first), len(second))
		}
		for i, p := range purls {
			a, b := first[p.String()], second[p.String()]
			if a.Version.ID != b.Version.ID || a.Package.ID != b.Package.ID || b.Version.PackageID != b.Package.ID || b.Package.Purl != p.WithoutVersion() {
				t.Fatalf("%s: got %v, then %v", p, a, b)
			}
			if i%2 == 0 && *b.Version.Digest != fmt.Sprintf("sha256:%064x", i) {
				t.Fatalf("%s: the digest became %s", p, *b.Version.Digest)
			}
		}
		if d := second[late].Version.Digest; d == nil || *d != digests[late] {
			t.Errorf("the digest that was reported later is %v", d)
		}
		if p := first[purls[0].String()].Package; p.ID != first[purls[1].String()].Package.ID {
			t.Error("two versions of one package are of two")
		}
	})
}

func TestEightTransactionsMakeTheSamePackages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var purls []purl.PURL
		for i := range 50 {
			p, err := purl.Parse(fmt.Sprintf("pkg:npm/p%d@1.0.0", i*7919%50))
			if err != nil {
				t.Fatal(err)
			}
			purls = append(purls, p)
		}
		errs := atOnce(8, func(i int) error {
			return w.inTx(w.root, func(tx *db.Client) error {
				rows, err := w.catalog.EnsurePackages(w.root, tx, slices.Concat(purls[i:], purls[:i]), nil)
				if err == nil && len(rows) != 50 {
					err = fmt.Errorf("%d rows", len(rows))
				}
				return err
			})
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if n := must(w.client.PackageVersion.Query().Count(w.root))(t); n != 50 {
			t.Errorf("%d versions", n)
		}
	})
}

func TestReadingTheCatalogScansNoTable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := bind(root, "checkout", cart)(w); err != nil {
			t.Fatal(err)
		}
		refs := w.refs(t, cart, cart+"@1.0.0")
		reads := map[string]func(context.Context) error{
			"a project":          func(ctx context.Context) error { _, err := w.catalog.Project(ctx, "shop"); return err },
			"an application":     func(ctx context.Context) error { _, err := w.catalog.Application(ctx, "checkout"); return err },
			"labels of projects": func(ctx context.Context) error { _, err := w.catalog.LabelsOfProjects(ctx, []int{1, 2}); return err },
			"labels of applications": func(ctx context.Context) error {
				_, err := w.catalog.LabelsOfApplications(ctx, []int{1, 2})
				return err
			},
			"owners":                  func(ctx context.Context) error { _, err := w.catalog.OwnersOf(ctx, []int{1, 2}); return err },
			"lifecycles of a project": func(ctx context.Context) error { _, err := w.catalog.LifecyclesOf(ctx, 1); return err },
			"stages of a lifecycle":   func(ctx context.Context) error { _, err := w.catalog.StagesOfLifecycle(ctx, 1); return err },
			"stages of a project":     func(ctx context.Context) error { _, err := w.catalog.StagesOf(ctx, 1); return err },
			"owning applications":     func(ctx context.Context) error { _, err := w.catalog.OwningApplications(ctx, refs); return err },
			"the package that is bound": func(ctx context.Context) error {
				return bind(func(*world) context.Context { return ctx }, "checkout", cart)(w)
			},
			"the package that is unbound": func(ctx context.Context) error {
				return unbind(func(*world) context.Context { return ctx }, "checkout", cart)(w)
			},
		}
		for name, read := range reads {
			t.Run(name, func(t *testing.T) { testdb.NoScans(w.shopAdmin, t, w.dsn, read) })
		}
	})
}
