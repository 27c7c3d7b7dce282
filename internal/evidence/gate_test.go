package evidence_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestWhatAGateIsShown(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "QA", artifact("z"), artifact("a"))
		ci := newKey(t)
		h.trust("ci", ci)
		const predicate = `{ "result": "PASSED" , "n": 1.0 }`
		document := bill("urn:1", lib("left-pad", "1.3.0", "MIT"))
		long := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 64<<10))

		h.submit(h.pusher(), signed(t, ci, statement(testsType, predicate, "z", "a")))
		h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, document, "a")))
		h.submit(h.pusher(), signed(t, ci, statement("urn:long", long, "a")))
		h.submit(h.pusher(), signed(t, ci, strings.Replace(statement("urn:none", `{}`, "manifest of web@1.0"), `,"predicate":{}`, "", 1)))
		h.submit(h.pusher(), cyclonedx(document, byDigest("a")))
		h.submit(h.pusher(), signed(t, ci, statement(testsType, predicate, "something else")))

		// Once as it is remembered, and once as it is read again.
		for name, service := range map[string]*evidence.Service{"remembered": h.service, "read again": h.fresh()} {
			t.Run(name, func(t *testing.T) {
				seen, err := service.ForGate(context.Background(), v)
				if err != nil || len(seen) != 5 {
					t.Fatalf("a gate sees %d pieces: %v", len(seen), err)
				}
				for i, e := range seen {
					if i > 0 && e.Row.ID <= seen[i-1].Row.ID {
						t.Errorf("piece %d is not in the order of arrival", i)
					}
					if e.Stage != "QA" {
						t.Errorf("piece %d arrived in %q", i, e.Stage)
					}
				}
				tests, bom, big, none, doc := seen[0], seen[1], seen[2], seen[3], seen[4]
				subjects := []string{digestOf("z"), digestOf("a")}
				slices.Sort(subjects)
				if string(tests.Predicate) != predicate || tests.Anchor != "ci" || fmt.Sprint(tests.Subjects) != fmt.Sprint(subjects) || tests.Sbom != nil {
					t.Errorf("tests are shown as %q by %q about %v, SBOM %v", tests.Predicate, tests.Anchor, tests.Subjects, tests.Sbom)
				}
				if bom.Predicate != nil || bom.Anchor != "" || bom.Sbom == nil || bom.Sbom.Digest != canonical.Digest([]byte(document)) {
					t.Errorf("the SBOM is shown as %q by %q: %v", bom.Predicate, bom.Anchor, bom.Sbom)
				}
				if big.Predicate != nil || none.Predicate != nil {
					t.Errorf("a predicate that is too long, or none, is shown: %d, %d bytes", len(big.Predicate), len(none.Predicate))
				}
				if doc.Sbom == nil || doc.Sbom.ID != bom.Sbom.ID || doc.Predicate != nil {
					t.Errorf("the same SBOM as a document is another: %v", doc.Sbom)
				}
			})
		}
	})
}

// fresh is a service that remembers nothing.
func (h *house) fresh() *evidence.Service { return evidence.New(h.store, nil, nil, "test") }

func TestComponentsAreTakenTogether(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("a"))
		bare := `{"type":"library","name":"zlib","version":"1.3"}`
		deb := `{"type":"library","name":"openssl","version":"3.0","purl":"pkg:deb/debian/openssl@3.0?arch=amd64"}`
		scoped := `{"type":"library","group":"@web","name":"ui","version":"2.0","purl":"pkg:npm/%40web/ui"}`
		one := bill("urn:1", lib("b", "1", "MIT"), lib("a", "1", "MIT"), bare, deb, scoped)
		two := bill("urn:2", lib("a", "1", "Apache-2.0"), lib("c", "1", "MIT"), bare)
		h.submit(h.pusher(), cyclonedx(one, byDigest("a")))
		h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, two, "a")))
		h.submit(h.pusher(), cyclonedx(bill("urn:elsewhere", lib("x", "1", "MIT")), byDigest("elsewhere")))

		sboms, err := h.service.SbomsOf(h.on(auth.Viewer, "web"), v)
		if err != nil || len(sboms) != 2 || sboms[0].ComponentCount != 5 || sboms[1].ComponentCount != 3 {
			t.Fatalf("the version's SBOMs are %v: %v", sboms, err)
		}
		for n, want := range []int{0, 5, 6} {
			if got, err := h.service.ComponentCount(h.on(auth.Viewer, "web"), sboms[:n]); err != nil || got != want {
				t.Errorf("%d SBOMs list %d components: %v; want %d", n, got, err, want)
			}
		}
		got, err := h.service.Components(context.Background(), []int{sboms[1].ID, sboms[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		d1, d2 := canonical.Digest([]byte(one)), canonical.Digest([]byte(two))
		both := []string{d1, d2}
		slices.Sort(both)
		want := []evidence.GateComponent{
			{Name: "zlib", Version: "1.3", Licenses: []string{}, Sboms: both},
			{PURL: "pkg:deb/debian/openssl@3.0?arch=amd64", Name: "openssl", Version: "3.0", Licenses: []string{}, Sboms: []string{d1}},
			{PURL: "pkg:npm/%40web/ui@2.0", Name: "@web/ui", Version: "2.0", Licenses: []string{}, Sboms: []string{d1}},
			{PURL: "pkg:npm/a@1", Name: "a", Version: "1", Licenses: []string{"Apache-2.0", "MIT"}, Sboms: both},
			{PURL: "pkg:npm/b@1", Name: "b", Version: "1", Licenses: []string{"MIT"}, Sboms: []string{d1}},
			{PURL: "pkg:npm/c@1", Name: "c", Version: "1", Licenses: []string{"MIT"}, Sboms: []string{d2}},
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("components are\n%q\nwant\n%q", got, want)
		}
		if got, err := h.service.Components(context.Background(), nil); err != nil || len(got) != 0 {
			t.Errorf("no SBOMs list %v: %v", got, err)
		}
	})
}

func TestAComponentCannotBeGivenAnotherNameByWhoIsFirst(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.submit(h.on(auth.EvidencePusher, "web"), cyclonedx(bill("urn:1",
			`{"type":"library","name":"harmless","version":"9.9","purl":"pkg:npm/log4j@2.0"}`,
			`{"type":"library","name":"pkg:npm/left-pad@1.0"}`,
			`{"type":"library","name":"x@1","version":"2"}`, `{"type":"library","name":"x","version":"1@2"}`,
			fmt.Sprintf(`{"type":"library","name":%q}`, strings.Repeat("n", 4000)),
		), byDigest("a")))
		h.submit(h.on(auth.EvidencePusher, "pay"), cyclonedx(bill("urn:2", lib("log4j", "2.0", "MIT"), lib("left-pad", "1.0", "MIT")), byDigest("b")))
		ids, err := h.store.Read().Sbom.Query().Order(sbom.ByID()).IDs(h.admin())
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.service.Components(context.Background(), ids[1:])
		if err != nil || len(got) != 2 || got[0].PURL != "pkg:npm/left-pad@1.0" || got[1].Name != "log4j" || got[1].Version != "2.0" {
			t.Errorf("another project's SBOM is read as %q: %v", got, err)
		}
		if rows := h.rows(); rows["components"] != 6 {
			t.Errorf("%d components, want 6 different ones", rows["components"])
		}
	})
}

func TestEvidenceOfAVersionIsPaged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("a"), artifact("b"))
		var want []int
		for i := range 5 {
			// Two subjects of the version in one piece of evidence are one piece of evidence.
			want = append(want, h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, fmt.Sprint(i), "a", "b"))).ID)
		}
		var got []int
		page, err := h.service.OfVersion(h.admin(), v, nil, ptr(2), nil, nil)
		for ; err == nil; page, err = h.service.OfVersion(h.admin(), v, page.PageInfo.EndCursor, ptr(2), nil, nil) {
			if page.TotalCount != 5 {
				t.Errorf("total count %d, want 5", page.TotalCount)
			}
			for _, e := range page.Edges {
				got = append(got, e.Node.ID)
			}
			if !page.PageInfo.HasNextPage {
				break
			}
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pages give %v: %v; want %v", got, err, want)
		}
		a, b := h.trust("a", newKey(t)), h.trust("b", newKey(t))
		anchors, err := h.service.Anchors(h.on(auth.Viewer, "web"), nil, nil, nil, nil)
		if err != nil || len(anchors.Edges) != 2 || anchors.Edges[0].Node.ID != a.ID || anchors.Edges[1].Node.ID != b.ID {
			t.Errorf("the anchors are %v: %v", anchors, err)
		}
	})
}

func TestEverythingIsFoundByIndex(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "QA", artifact("a"))
		ci := newKey(t)
		h.trust("ci", ci)
		h.submit(h.pusher(), signed(t, ci, statement(testsType, `{}`, "a")))
		for i := range 2 {
			h.submit(h.pusher(), cyclonedx(bill(fmt.Sprint(i), lib("a", "1", "MIT")), byDigest("a")))
		}
		sboms, err := h.service.SbomsOf(h.admin(), v)
		if err != nil {
			t.Fatal(err)
		}
		for name, ctx := range map[string]context.Context{"organisation": h.pusher(), "project": h.on(auth.EvidencePusher, "web"), "projects": h.on(auth.EvidencePusher, "web", "pay")} {
			t.Run(name, func(t *testing.T) {
				for what, fn := range map[string]func(context.Context) error{
					"a submission": func(ctx context.Context) error {
						_, _, err := h.service.Submit(ctx, signed(t, ci, statement(testsType, fmt.Sprintf("%q", name), "a")))
						return err
					},
					"a submitted SBOM": func(ctx context.Context) error {
						_, _, err := h.service.Submit(ctx, cyclonedx(bill("new "+name, lib("n", "1", "MIT"), lib("a", "1", "MIT")), byDigest("a")))
						return err
					},
					"evidence by digest":  func(ctx context.Context) error { _, err := h.service.ByDigest(ctx, digestOf("x")); return err },
					"evidence of version": func(ctx context.Context) error { _, err := h.service.OfVersion(ctx, v, nil, nil, nil, nil); return err },
					"evidence for a gate": func(ctx context.Context) error { _, err := h.fresh().ForGate(ctx, v); return err },
					"SBOMs of version":    func(ctx context.Context) error { _, err := h.service.SbomsOf(ctx, v); return err },
					"component count":     func(ctx context.Context) error { _, err := h.service.ComponentCount(ctx, sboms); return err },
					"components": func(ctx context.Context) error {
						_, err := h.service.Components(ctx, []int{sboms[0].ID, sboms[1].ID})
						return err
					},
				} {
					t.Run(what, func(t *testing.T) {
						// There are as many trust anchors as an organisation has keys, and all of them are tried. A list of what is
						// looked for is read as a whole.
						testdb.NoScans(ctx, t, dsn, fn, "trust_anchors", "json_each")
					})
				}
			})
		}
	})
}
