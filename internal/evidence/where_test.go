package evidence_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

func TestWhereEvidenceGoes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.version("web", "1.0", "", artifact("site"), artifact("shared"))
		h.version("pay", "1.0", "", artifact("till"), artifact("shared"))
		mixed := h.as(auth.Principal{Grants: []auth.Grant{
			{Role: auth.Viewer, Project: auth.Organisation}, {Role: auth.EvidencePusher, Project: h.projects["pay"].ID},
		}})
		both := h.on(auth.EvidencePusher, "web", "pay")
		for name, c := range map[string]struct {
			ctx     context.Context
			subject string
			realm   string
		}{
			"a pusher of the organisation pushes to it":                     {h.pusher(), "site", ""},
			"an admin of the organisation pushes to it":                     {h.admin(), "site", ""},
			"a contributor of the organisation pushes to it":                {h.org(auth.Contributor), "nothing here", ""},
			"a pusher of a project pushes to it":                            {h.on(auth.EvidencePusher, "web"), "nothing here", "web"},
			"an admin of a project pushes to it, whatever it is about":      {h.on(auth.ProjectAdmin, "web"), "till", "web"},
			"a viewer of the organisation pushes where it may":              {mixed, "site", "pay"},
			"a pusher of two projects pushes to the one that has the thing": {both, "till", "pay"},
			"a manifest is a thing that a project has":                      {both, "manifest of web@1.0", "web"},
		} {
			t.Run(name, func(t *testing.T) {
				ev := h.in(t).submit(c.ctx, signed(t, newKey(t), statement(testsType, fmt.Sprintf(`{"case":%q}`, name), c.subject)))
				if ev.Realm != c.realm || (ev.ProjectID == nil) != (c.realm == "") {
					t.Errorf("pushed to %q (project %v), want %q", ev.Realm, ev.ProjectID, c.realm)
				}
				if c.realm != "" && *ev.ProjectID != h.projects[c.realm].ID {
					t.Errorf("realm and project differ: %v", ev)
				}
			})
		}
		for name, c := range map[string]struct {
			subjects []string
			words    string
		}{
			"neither of two projects has the thing":        {[]string{"nothing here"}, "none of them has"},
			"both projects have the thing":                 {[]string{"shared"}, "several of them have"},
			"one project has one thing, the other another": {[]string{"site", "till"}, "several of them have"},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				_, _, err := h.service.Submit(both, signed(t, newKey(t), statement(testsType, `{}`, c.subjects...)))
				h.mustRefuse(err, before, fault.BadInput, "input.envelope", "pay, web", c.words)
			})
		}
	})
}

func TestRule35_AProjectsEvidenceIsItsOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		web, pay := h.version("web", "1.0", "", artifact("shared")), h.version("pay", "1.0", "", artifact("shared"))
		ci := newKey(t)
		h.trust("ci", ci)
		payload := statement(cdxType, bill("urn:1", lib("a", "1", "MIT")), "shared")
		var all []*db.Evidence
		for _, ctx := range []context.Context{h.on(auth.EvidencePusher, "web"), h.on(auth.EvidencePusher, "pay"), h.pusher()} {
			all = append(all, h.submit(ctx, signed(t, ci, payload)))
		}
		ofWeb, ofPay, ofAll := all[0].ID, all[1].ID, all[2].ID
		if rows := h.rows(); rows["evidence"] != 3 || rows["sboms"] != 1 {
			t.Errorf("%v; want one record for each place and one SBOM", rows)
		}
		ids := func(ctx context.Context, v *db.ApplicationVersion) []int {
			page, err := h.service.OfVersion(ctx, v, nil, nil, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var list []int
			for _, e := range page.Edges {
				list = append(list, e.Node.ID)
			}
			if page.TotalCount != len(list) {
				t.Errorf("total count %d, want %d", page.TotalCount, len(list))
			}
			return list
		}
		for name, c := range map[string]struct{ got, want []int }{
			"of web's version":                       {ids(h.admin(), web), []int{ofWeb, ofAll}},
			"of pay's version":                       {ids(h.admin(), pay), []int{ofPay, ofAll}},
			"of web's version, seen from web":        {ids(h.on(auth.Viewer, "web"), web), []int{ofWeb, ofAll}},
			"of web's version, seen from pay":        {ids(h.on(auth.Viewer, "pay"), web), []int{ofAll}},
			"of pay's version, seen from no project": {ids(h.as(auth.Principal{}), pay), nil},
		} {
			if fmt.Sprint(c.got) != fmt.Sprint(c.want) {
				t.Errorf("evidence %s: %v, want %v", name, c.got, c.want)
			}
		}
		found, err := h.service.ByDigest(h.on(auth.Viewer, "web"), all[0].Digest)
		if err != nil || len(found) != 2 || found[0].ID != ofWeb || found[1].ID != ofAll {
			t.Errorf("by digest web sees %v: %v; want its own and the organisation's", found, err)
		}
		seen, err := h.service.ForGate(h.on(auth.Viewer, "pay"), web)
		if err != nil || len(seen) != 2 || seen[0].Row.ID != ofWeb || seen[1].Row.ID != ofAll {
			t.Errorf("a gate of web sees %v: %v; want web's and the organisation's, whoever asks", seen, err)
		}
	})
}

func TestTheStageInWhichEvidenceArrives(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.version("web", "1.0", "DEV", artifact("old"), artifact("shared"))
		h.version("web", "2.0", "QA", artifact("new"), artifact("shared"))
		h.version("web", "3.0", "", artifact("fresh"), artifact("shared"))
		h.version("pay", "1.0", "DEV", artifact("shared"))
		for name, c := range map[string]struct {
			ctx      context.Context
			subjects []string
			stage    string
		}{
			"that of the version which contains it":        {h.pusher(), []string{"old"}, "DEV"},
			"that of the version which it is":              {h.pusher(), []string{"manifest of web@2.0"}, "QA"},
			"none where the version is in none":            {h.pusher(), []string{"fresh"}, ""},
			"none where nobody knows the thing":            {h.pusher(), []string{"unknown"}, ""},
			"of several subjects, the newest version's":    {h.pusher(), []string{"old", "new"}, "QA"},
			"that of the newest version in a stage":        {h.pusher(), []string{"shared"}, "DEV"},
			"of a project's evidence, a stage of its own":  {h.on(auth.EvidencePusher, "web"), []string{"shared"}, "QA"},
			"none of a project that does not have it":      {h.on(auth.EvidencePusher, "pay"), []string{"new"}, ""},
			"found among more subjects than SQLite counts": {h.pusher(), append(names(12_000), "new"), "QA"},
		} {
			t.Run(name, func(t *testing.T) {
				ev := h.in(t).submit(c.ctx, signed(t, newKey(t), statement(testsType, fmt.Sprintf(`{"case":%q}`, name), c.subjects...)))
				var want *int
				if c.stage != "" {
					want = &h.stages[c.stage].ID
				}
				if (want == nil) != (ev.StageID == nil) || want != nil && *want != *ev.StageID {
					t.Errorf("arrived in stage %v, want %q", ev.StageID, c.stage)
				}
			})
		}
	})
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("thing %d", i)
	}
	return list
}

func TestADocumentsSubjectsAreFoundHere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.version("web", "1.0", "", pkg("pkg:npm/%40web/ui@1.0.0", digestOf("ui")))
		h.version("pay", "1.0", "", pkg("pkg:npm/%40web/ui@1.0.0", digestOf("another build")))
		ev := h.submit(h.on(auth.EvidencePusher, "web"), cyclonedx(bill("urn:1"),
			&evidence.EvidenceSubjectInput{Purl: ptr("pkg:npm/@web/ui@1.0.0")},
			&evidence.EvidenceSubjectInput{ApplicationVersion: &version.ApplicationVersionRefInput{ApplicationKey: "web", Version: "1.0"}},
			&evidence.EvidenceSubjectInput{Name: ptr("mine"), Digest: ptr(digestOf("x"))},
			&evidence.EvidenceSubjectInput{Name: ptr("mine"), Digest: ptr(digestOf("x"))},
		))
		subjects, err := ev.QuerySubjects().All(h.on(auth.Viewer, "web"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range subjects {
			got = append(got, s.Name+" "+s.Digest)
		}
		want := []string{"pkg:npm/%40web/ui@1.0.0 " + digestOf("ui"), "web@1.0 " + manifestOf("web", "1.0"), "mine " + digestOf("x")}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("subjects are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
