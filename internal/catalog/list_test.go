package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// shelves adds to the world what lists are made of: the applications cart (critical, of team:web and a label) and
// "old-cart" (archived) in shop, with packages of checkout, cart and ledger, and of nobody; a version of checkout that is
// released in PROD.
func (w *world) shelves(t *testing.T) {
	t.Helper()
	must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{
		ProjectKey: "shop", Key: "cart", Name: "Der Einkaufs-Wagen", Criticality: application.CriticalityCRITICAL, Maturity: application.MaturityPRODUCTION,
		Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}, {Key: "pci", Value: "yes"}}, Owners: []string{"team:web", "user:robin"},
	}))(t)
	w.clock.pass(time.Minute)
	must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: "old-cart", Name: "Another Cart"}))(t)
	must(w.catalog.ArchiveApplication(w.root, catalog.ArchiveApplicationInput{Key: "old-cart", Archived: true}))(t)
	must(w.catalog.UpdateApplication(w.root, catalog.UpdateApplicationInput{Key: "ledger", Owners: &catalog.OwnerChanges{Add: []string{"team:money"}}}))(t)
	for _, b := range [][2]string{{"checkout", "pkg:npm/%40acme/pay"}, {"cart", "pkg:golang/example.org/cart"}, {"ledger", "pkg:npm/ledger"}, {"ledger", "pkg:npm/shared"}} {
		if err := bind(root, b[0], b[1])(w); err != nil {
			t.Fatal(err)
		}
	}
	w.write(t, func(ctx context.Context, tx *db.Client) error {
		by := tx.Principal.Query().Where(principal.Name("root")).OnlyX(ctx).ID
		prod := tx.Stage.Query().Where(stage.Name("PROD")).OnlyX(ctx).ID
		v := tx.ApplicationVersion.Create().SetVersion("1").SetManifestDigest("d").SetManifest("{}").SetContext("{}").SetReleasableCount(1).
			SetTrust(applicationversion.TrustRELEASED).SetStageID(prod).SetProjectID(w.shop.ID).SetApplicationID(w.checkout.ID).SetCreatedBy(by).SetCreatedAt(start).SaveX(ctx)
		shared, err := w.catalog.EnsurePackages(ctx, tx, purls(t, "pkg:npm/shared@1", "pkg:npm/free@1"), nil)
		if err != nil {
			return err
		}
		for _, e := range shared {
			tx.Releasable.Create().SetName("x").SetKind("PACKAGE").SetVersionID(v.ID).SetPackageID(e.Package.ID).SetPackageVersionID(e.Version.ID).SaveX(ctx)
		}
		return nil
	})
}

func purls(t *testing.T, texts ...string) []purl.PURL {
	t.Helper()
	var all []purl.PURL
	for _, text := range texts {
		all = append(all, must(purl.Parse(text))(t))
	}
	return all
}

func (w *world) applications(t *testing.T, ctx context.Context, f *catalog.ApplicationFilter) string { //nolint:revive // as testing.T's helpers have it
	t.Helper()
	c := must(w.catalog.Applications(ctx, f, nil, nil, ptr(100), nil, nil))(t)
	var keys []string
	for _, e := range c.Edges {
		keys = append(keys, e.Node.Key)
	}
	if c.TotalCount != len(keys) {
		t.Errorf("the total is %d of %v", c.TotalCount, keys)
	}
	return strings.Join(keys, " ")
}

func (w *world) packages(t *testing.T, ctx context.Context, f *catalog.PackageFilter) string { //nolint:revive // as above
	t.Helper()
	c := must(w.catalog.Packages(ctx, f, nil, nil, ptr(100), nil, nil))(t)
	var names []string
	for _, e := range c.Edges {
		names = append(names, e.Node.Purl[strings.LastIndex(e.Node.Purl, "/")+1:])
	}
	if c.TotalCount != len(names) {
		t.Errorf("the total is %d of %v", c.TotalCount, names)
	}
	return strings.Join(names, " ")
}

func TestApplicationsAreFiltered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		type f = catalog.ApplicationFilter
		for name, c := range map[string]struct {
			filter *f
			want   string
			narrow string // what shop's viewer sees
		}{
			"without a filter":          {nil, "checkout ledger cart", "checkout cart"},
			"a filter of nothing":       {&f{}, "checkout ledger cart", "checkout cart"},
			"archived":                  {&f{Archived: true}, "old-cart", "old-cart"},
			"a word's beginning":        {&f{Text: ptr("C")}, "checkout cart", "checkout cart"},
			"words in any order":        {&f{Text: ptr("wag  einkauf,DER")}, "cart", "cart"},
			"a word's end":              {&f{Text: ptr("out")}, "", ""},
			"one word of two":           {&f{Text: ptr("cart ledger")}, "", ""},
			"a word out of reach":       {&f{Text: ptr("led")}, "ledger", ""},
			"projects":                  {&f{ProjectKeys: []string{"bank", "nowhere"}}, "ledger", ""},
			"a label":                   {&f{Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}}}, "cart", "cart"},
			"all labels":                {&f{Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}, {Key: "pci", Value: "no"}}}, "", ""},
			"criticality, one of two":   {&f{Criticality: []string{"CRITICAL", "HIGH"}}, "cart", "cart"},
			"maturity":                  {&f{Maturity: []string{"UNSPECIFIED"}}, "checkout ledger", "checkout"},
			"owners":                    {&f{Owners: []string{"user:Robin", "team:money"}}, "ledger cart", "cart"},
			"a version's trust":         {&f{Trust: []string{"RELEASED"}}, "checkout", "checkout"},
			"a version's stage":         {&f{Stages: []string{"QA", "PROD"}}, "checkout", "checkout"},
			"what must all hold":        {&f{Stages: []string{"PROD"}, Text: ptr("cart")}, "", ""},
			"an application, archived,": {&f{Archived: true, Text: ptr("cart")}, "old-cart", "old-cart"},
		} {
			t.Run(name, func(t *testing.T) {
				if got := w.applications(t, w.root, c.filter); got != c.want {
					t.Errorf("root sees %q, want %q", got, c.want)
				}
				if got := w.applications(t, w.shopViewer, c.filter); got != c.narrow {
					t.Errorf("shop's viewer sees %q, want %q", got, c.narrow)
				}
				if got := w.applications(t, context.Background(), c.filter); got != "" {
					t.Errorf("nobody sees %q", got)
				}
			})
		}
		if a := must(w.catalog.Application(w.shopViewer, "old-cart"))(t); a == nil || a.ArchivedAt == nil {
			t.Errorf("an archived application is not found by its key: %v", a)
		}
	})
}

func TestRule45_PackagesAreFiltered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		if err := bind(root, "checkout", "pkg:npm/shared@1")(w); err != nil { // one version alone
			t.Fatal(err)
		}
		type f = catalog.PackageFilter
		for name, c := range map[string]struct {
			filter       *f
			want, narrow string // shared belongs to ledger, which shop's viewer does not see
		}{
			"without a filter":         {nil, "pay cart ledger shared free", "pay cart shared free"},
			"words":                    {&f{Text: ptr("@acme/p")}, "pay", "pay"},
			"a whole purl":             {&f{Text: ptr("pkg:npm/%40acme/pay")}, "pay", "pay"},
			"types":                    {&f{Types: []string{"golang", "pypi"}}, "cart", "cart"},
			"a type that begins alike": {&f{Types: []string{"np"}}, "", ""},
			"owning applications":      {&f{OwningApplicationKeys: []string{"ledger", "cart"}}, "cart ledger shared", "cart"},
			"owned":                    {&f{Owned: ptr(true)}, "pay cart ledger shared", "pay cart"},
			"not owned":                {&f{Owned: ptr(false)}, "free", "shared free"},
			"owners":                   {&f{Owners: []string{"team:money", "team:web"}}, "cart ledger shared", "cart"},
		} {
			t.Run(name, func(t *testing.T) {
				if got := w.packages(t, w.root, c.filter); got != c.want {
					t.Errorf("root sees %q, want %q", got, c.want)
				}
				if got := w.packages(t, w.shopViewer, c.filter); got != c.narrow {
					t.Errorf("shop's viewer sees %q, want %q", got, c.narrow)
				}
			})
		}
		if p := must(w.catalog.Package(w.shopViewer, "pkg:npm/shared@7?a=b"))(t); p == nil || p.Purl != "pkg:npm/shared" {
			t.Errorf("the package is %v", p)
		}
		if p := must(w.catalog.Package(w.shopViewer, "pkg:npm/ledger"))(t); p != nil {
			t.Errorf("shop's viewer sees %v", p)
		}
		_, err := w.catalog.Package(w.shopViewer, "npm/ledger")
		wantFault(t, err, fault.BadInput, "purl", "package URL")
	})
}

func TestFiltersAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		applications := func(f catalog.ApplicationFilter) func(*world) error {
			return func(w *world) error {
				_, err := w.catalog.Applications(w.root, &f, nil, nil, ptr(1), nil, nil)
				return err
			}
		}
		packages := func(f catalog.PackageFilter) func(*world) error {
			return func(w *world) error {
				_, err := w.catalog.Packages(w.root, &f, nil, nil, ptr(1), nil, nil)
				return err
			}
		}
		type (
			a = catalog.ApplicationFilter
			p = catalog.PackageFilter
		)
		refuse(t, w, []refusal{
			{"a text of nothing", applications(a{Text: ptr("")}), fault.BadInput, "filter.text", "at least 1"},
			{"a text without words", applications(a{Text: ptr("-*-")}), fault.BadInput, "filter.text", "no word"},
			{"a long text", packages(p{Text: ptr(strings.Repeat("a", 256))}), fault.BadInput, "filter.text", "at most 255"},
			{"101 projects", applications(a{ProjectKeys: owners(101)}), fault.BadInput, "filter.projectKeys", "at most 100"},
			{"21 labels", applications(a{Labels: make([]*catalog.LabelInput, 21)}), fault.BadInput, "filter.labels", "at most 20"},
			{"an unknown criticality", applications(a{Criticality: []string{"LOW", "URGENT"}}), fault.BadInput, "filter.criticality.1", "URGENT"},
			{"an unknown maturity", applications(a{Maturity: []string{"RIPE"}}), fault.BadInput, "filter.maturity.0", "RIPE"},
			{"an unknown trust", applications(a{Trust: []string{"BLIND"}}), fault.BadInput, "filter.trust.0", "BLIND"},
			{"101 owners", applications(a{Owners: owners(101)}), fault.BadInput, "filter.owners", "at most 100"},
			{"an owner that is none", applications(a{Owners: []string{"robin"}}), fault.BadInput, "filter.owners.0", "user: or team:"},
			{"101 stages", applications(a{Stages: owners(101)}), fault.BadInput, "filter.stages", "at most 100"},
			{"21 types", packages(p{Types: make([]string, 21)}), fault.BadInput, "filter.types", "at most 20"},
			{"a type that is none", packages(p{Types: []string{"NPM"}}), fault.BadInput, "filter.types.0", "type of purl"},
			{"101 applications", packages(p{OwningApplicationKeys: owners(101)}), fault.BadInput, "filter.owningApplicationKeys", "at most 100"},
			{"an owner of packages that is none", packages(p{Owners: []string{""}}), fault.BadInput, "filter.owners.0", "user: or team:"},
		})
	})
}

func TestListsAreOrderedAcrossPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		for _, c := range []struct {
			field *db.ApplicationOrderField
			desc  bool
			want  string
		}{
			{db.ApplicationOrderFieldKey, false, "cart checkout ledger"},
			{db.ApplicationOrderFieldName, false, "checkout cart ledger"},
			{db.ApplicationOrderFieldName, true, "ledger cart checkout"},
			{db.ApplicationOrderFieldCreatedAt, false, "checkout ledger cart"}, // made at one instant: by row
			{db.ApplicationOrderFieldCreatedAt, true, "cart ledger checkout"},
		} {
			order := &db.ApplicationOrder{Field: c.field, Direction: entgql.OrderDirectionAsc}
			if c.desc {
				order.Direction = entgql.OrderDirectionDesc
			}
			var keys []string
			var after *db.Cursor
			for more := true; more; {
				page := must(w.catalog.Applications(w.root, nil, order, after, ptr(1), nil, nil))(t)
				keys = append(keys, page.Edges[0].Node.Key)
				after, more = page.PageInfo.EndCursor, page.PageInfo.HasNextPage
			}
			if got := strings.Join(keys, " "); got != c.want {
				t.Errorf("by %s, descending %v: %s, want %s", c.field, c.desc, got, c.want)
			}
			_, err := w.catalog.Applications(w.root, nil, nil, after, ptr(1), nil, nil)
			wantFault(t, err, fault.BadInput, "after", "another order")
		}
		purl := &db.PackageOrder{Field: db.PkgOrderFieldPurl, Direction: entgql.OrderDirectionDesc}
		page := must(w.catalog.Packages(w.root, nil, purl, nil, ptr(2), nil, nil))(t)
		page = must(w.catalog.Packages(w.root, nil, purl, page.PageInfo.EndCursor, ptr(2), nil, nil))(t)
		if got := page.Edges[0].Node.Purl; got != "pkg:npm/free" {
			t.Errorf("the second page begins with %s", got)
		}
		made := &db.PackageOrder{Field: db.PkgOrderFieldCreatedAt, Direction: entgql.OrderDirectionAsc}
		_, err := w.catalog.Packages(w.root, nil, made, nil, nil, page.PageInfo.EndCursor, ptr(2))
		wantFault(t, err, fault.BadInput, "before", "another order")
	})
}

// Without a filter a list walks its table in order as far as its page needs, and the total counts it; what is not owned has
// no index to be found by.
func TestFiltersScanNoTable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelves(t)
		type (
			a = catalog.ApplicationFilter
			p = catalog.PackageFilter
		)
		for i, f := range []a{
			{Text: ptr("cart web")},
			{ProjectKeys: []string{"shop"}},
			{Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}}},
			{Criticality: []string{"LOW", "HIGH"}},
			{Maturity: []string{"PRODUCTION"}},
			{Owners: []string{"team:web"}},
			{Trust: []string{"RELEASED"}},
			{Stages: []string{"PROD"}},
		} {
			t.Run(fmt.Sprint("applications ", i), func(t *testing.T) {
				for _, who := range []context.Context{w.root, w.shopViewer} {
					testdb.NoScans(who, t, w.dsn, func(ctx context.Context) error {
						_, err := w.catalog.Applications(ctx, &f, nil, nil, ptr(10), nil, nil)
						return err
					})
				}
			})
		}
		for i, f := range []p{
			{Text: ptr("npm cart")},
			{Types: []string{"npm", "golang"}},
			{OwningApplicationKeys: []string{"cart"}},
			{Owned: ptr(true)},
			{Owners: []string{"team:web"}},
		} {
			t.Run(fmt.Sprint("packages ", i), func(t *testing.T) {
				for _, who := range []context.Context{w.root, w.shopViewer} {
					testdb.NoScans(who, t, w.dsn, func(ctx context.Context) error {
						_, err := w.catalog.Packages(ctx, &f, nil, nil, ptr(10), nil, nil)
						return err
					})
				}
			})
		}
	})
}
