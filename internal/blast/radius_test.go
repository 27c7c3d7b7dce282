package blast_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func ptr[T any](v T) *T { return &v }

// asking is a question as it is put, and as it is said of each thing.
type asking struct {
	name string
	of   blast.BlastRadiusInput
	key  func(e *estate, in asked) question
	// hidden is true when it starts from something that not everybody sees.
	hidden bool
}

// of makes a question about versions of a package. What has no version cannot be compared.
func ofPackage(base string, undecided bool, versions ...string) func(*estate, asked) question {
	holds := func(version string) bool { return versions == nil || slices.Contains(versions, version) }
	return func(*estate, asked) question {
		return question{
			component: func(purl string) bool {
				purl, _, _ = strings.Cut(purl, "?")
				purl, _, _ = strings.Cut(purl, "#")
				of, version, _ := strings.Cut(purl, "@")
				return of == base && (holds(version) || version == "" && undecided)
			},
			release: func(r release) bool { return r.pkg == base && holds(r.version) },
		}
	}
}

func inRange(base, vers string, versions ...string) asking {
	return asking{name: base + " " + vers, of: blast.BlastRadiusInput{PurlRange: &blast.PurlRangeInput{Purl: base, Range: vers}}, key: ofPackage(base, true, versions...)}
}

func vulnerable(name string, number int, advisories ...int) asking {
	return asking{name: name, of: blast.BlastRadiusInput{Vulnerability: &name}, key: func(e *estate, _ asked) question {
		bad := map[string]bool{}
		for _, m := range e.matches {
			if m.vulnerability == number && slices.Contains(advisories, m.advisory) {
				bad[e.components[m.component-1]] = true
			}
		}
		return question{
			component: func(purl string) bool { return bad[purl] },
			upgrade:   func(base, version string) bool { return e.speaks(number, advisories, base, version) },
		}
	}}
}

func askings(e *estate) []asking {
	const left = "pkg:npm/left"
	list := []asking{
		{name: "package", of: blast.BlastRadiusInput{Purl: ptr(left)}, key: ofPackage(left, true)},
		{name: "scoped package", of: blast.BlastRadiusInput{Purl: ptr("pkg:npm/@left/pad")}, key: ofPackage("pkg:npm/%40left/pad", true)},
		{name: "version of a package", of: blast.BlastRadiusInput{Purl: ptr(left + "@2.0.0?os=plan9")}, key: ofPackage(left, false, "2.0.0")},
		{name: "package that nobody has", of: blast.BlastRadiusInput{Purl: ptr("pkg:npm/lef")}, key: ofPackage("pkg:npm/lef", true)},
		inRange(left, "vers:npm/>=2.0.0|<3.0.0", "2.0.0", "2.1.0-rc.1", "2.10.0", "main"),
		inRange(left, "vers:npm/<1.1.0|>2.0.0|!=3.0.0", "1.0.0", "2.1.0-rc.1", "2.10.0", "9.0.0", "main"),
		inRange(left, "vers:npm/*"),
		inRange("pkg:npm/left-pad", "vers:npm/1.0.0|>=2.9.0|<=2.10.0", "1.0.0", "2.10.0", "main"),
		vulnerable("CVE-1", 1, 1, 2), vulnerable("GHSA-1", 1, 1, 2), vulnerable("CVE-2", 2, 1), vulnerable("CVE-3", 3),
	}
	for _, d := range []string{e.anArtifact(), e.versions[5].manifest, e.builds[1], digest("unknown", 1)} {
		list = append(list, asking{name: "digest " + d, of: blast.BlastRadiusInput{Digest: &d}, key: func(*estate, asked) question { return question{digest: d} }})
	}
	list = append(list, asking{name: "signer", of: blast.BlastRadiusInput{Signer: ptr("signer-2")}, key: func(*estate, asked) question {
		return question{statement: func(s statement) bool { return s.anchor == 2 }}
	}})
	for _, i := range e.pieces() {
		list = append(list, asking{
			name: fmt.Sprint("evidence ", i+1), of: blast.BlastRadiusInput{Evidence: ptr(id.Global("Evidence", i+1))},
			key: func(e *estate, _ asked) question { return question{statement: e.evidence[i].is} }, hidden: true,
		})
	}
	for o := 1; o <= owners; o++ {
		list = append(list, asking{
			name: fmt.Sprint("owner ", o), of: blast.BlastRadiusInput{Owner: ptr(fmt.Sprint("team:", o))}, key: ownedBy(o), hidden: true,
		})
	}
	return list
}

func ownedBy(o int) func(*estate, asked) question {
	return func(e *estate, in asked) question {
		has := func(app int) bool { return slices.Contains(holders(e.ownerships, app, in.at), o) }
		bound := func(base string) bool {
			i := slices.Index(e.packages, base)
			return i >= 0 && slices.ContainsFunc(holders(e.bindings, i+1, in.at), has)
		}
		return question{
			app: has,
			component: func(purl string) bool {
				if i := strings.IndexAny(purl, "@?#"); i >= 0 {
					purl = purl[:i]
				}
				return bound(purl)
			},
			release: func(r release) bool { return bound(r.pkg) },
		}
	}
}

func viewer(projects ...int) context.Context {
	p := auth.Principal{ID: 1, Name: "robin"}
	for _, n := range projects {
		p.Grants = append(p.Grants, auth.Grant{Role: auth.Viewer, Project: n})
	}
	return auth.With(context.Background(), p)
}

// told asks for all of an answer.
func told(ctx context.Context, t *testing.T, s *blast.Service, of blast.BlastRadiusInput, in *blast.BlastRadiusScope) string {
	t.Helper()
	r, err := s.Of(ctx, of, in)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := r.Summary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fmt.Fprintln(&out, "versions", sum.Versions, "applications", sum.Applications, "owners", sum.Owners, "components", sum.Components, "deployments", sum.Deployments)
	counts, err := r.ByStage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	byStage := map[int]int{}
	for i, c := range counts {
		if c.Stage == nil {
			byStage[0] = c.Versions
		} else if byStage[c.Stage.ID] = c.Versions; i > 0 && counts[i-1].Versions < c.Versions {
			t.Errorf("stages are out of order: %v", counts)
		}
	}
	fmt.Fprintln(&out, "stages", byStage)
	fmt.Fprintln(&out, groupsOf(ctx, t, r))
	owned, err := r.Owners(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range owned {
		var keys []string
		for _, a := range o.Applications {
			keys = append(keys, a.Key)
		}
		fmt.Fprintln(&out, "team:", strings.TrimPrefix(o.Owner.Ref, "team:"), keys)
	}
	hits, _, err := r.Hits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := r.Show(ctx, hits)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range shown {
		var ways []string
		for _, w := range v.Through {
			ways = append(ways, wayOf(w))
		}
		slices.Sort(ways)
		fmt.Fprintln(&out, "version", v.Version.ID, ways)
	}
	return out.String()
}

func wayOf(w blast.Way) string {
	c, part := "", 0
	if w.Component != nil {
		if c = w.Component.Name + "@" + w.Component.Version; w.Component.Purl != nil {
			c = *w.Component.Purl
		}
	}
	if w.Releasable != nil {
		part = w.Releasable.ID
	}
	return fmt.Sprint(c, " in ", part, " ", w.Direct)
}

// TestRule38BlastRadiusFindsWhatLookingAtEverythingFinds compares the service with a key that looks at everything, also for
// those who see a part (rule 45).
func TestRule38BlastRadiusFindsWhatLookingAtEverythingFinds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		e := grow(1)
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		service := blast.New(s, time.Now)
		scopes := []struct {
			ctx  context.Context
			in   *blast.BlastRadiusScope
			want asked
		}{
			{viewer(auth.Organisation), nil, asked{}},
			{viewer(2), nil, asked{projects: []int{2}}},
			{viewer(1, 3), nil, asked{projects: []int{1, 3}}},
			{viewer(2), &blast.BlastRadiusScope{LiveOnly: true, AsOf: ptr(hour(55))}, asked{projects: []int{2}, live: true, at: hour(55)}},
			{viewer(1, 2), &blast.BlastRadiusScope{ProjectKeys: []string{"project-2", "project-3"}}, asked{projects: []int{2}}},
			{viewer(1, 2), &blast.BlastRadiusScope{ProjectKeys: []string{"project-3"}}, asked{projects: []int{}}},
			{viewer(), nil, asked{projects: []int{}}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{LiveOnly: true}, asked{live: true}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{Stages: []string{"QA", "PROD"}}, asked{stages: []int{2, 3}}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{Stages: []string{"NOWHERE"}}, asked{stages: []int{}}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{AsOf: ptr(hour(30))}, asked{at: hour(30)}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{AsOf: ptr(hour(70)), LiveOnly: true, Stages: []string{"QA"}}, asked{at: hour(70), live: true, stages: []int{2}}},
			{viewer(auth.Organisation), &blast.BlastRadiusScope{AsOf: ptr(hour(90)), ProjectKeys: []string{"project-1"}}, asked{at: hour(90), projects: []int{1}}},
		}
		for _, a := range askings(e) {
			hits := 0
			for i, sc := range scopes {
				visible := e.answer(a.key(e, sc.want), sc.want)
				if a.hidden && i < 7 && i != 0 {
					continue // whoever sees a part sees a part of what an owner has, or nothing to start from: TestRule45 asks that
				}
				hits += len(visible)
				got, want := told(sc.ctx, t, service, a.of, sc.in), e.told(visible, sc.want)
				if got != want {
					t.Errorf("%s, scope %d: got\n%s\nwant\n%s", a.name, i, got, want)
				}
			}
			if hits == 0 != slices.Contains([]string{"CVE-3", "package that nobody has", "digest " + digest("unknown", 1)}, a.name) {
				t.Errorf("%s hits %d versions: the estate asks nothing", a.name, hits)
			}
		}
	})
}

// TestRule45OutOfReachIsInNoAnswer asks a viewer of each project whatever there is to ask, also of owners.
func TestRule45OutOfReachIsInNoAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		e := grow(1)
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		service := blast.New(s, time.Now)
		for project := 1; project <= projects; project++ {
			ctx := viewer(project)
			for _, a := range askings(e) {
				r, err := service.Of(ctx, a.of, nil)
				if err != nil {
					if f, ok := errors.AsType[*fault.Error](err); a.hidden && ok && f.Kind == fault.NotFound {
						continue // of which nothing is in reach
					}
					t.Fatal(err)
				}
				hits, _, err := r.Hits(ctx)
				if err != nil {
					t.Fatal(err)
				}
				apps := map[int]bool{}
				for _, h := range hits {
					if of := e.versions[h.Version-1].app; e.apps[of-1].project != project {
						t.Errorf("%s: a viewer of project %d is told of version %d, of another", a.name, project, h.Version)
					} else {
						apps[of] = true
					}
				}
				sum, err := r.Summary(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if sum.Versions != len(hits) || sum.Applications != len(apps) {
					t.Errorf("%s: counted %+v, listed %d versions of %d applications", a.name, sum, len(hits), len(apps))
				}
				lines, err := r.Export(ctx, "JSON_LINES")
				if err != nil {
					t.Fatal(err)
				}
				for other := 1; other <= projects; other++ {
					if other != project && strings.Contains(lines, fmt.Sprintf("project-%d\"", other)) {
						t.Errorf("%s: a viewer of project %d gets lines of project %d", a.name, project, other)
					}
				}
			}
		}
	})
}

func TestQuestionsThatAreNoneAreRefused(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	grow(7).settle(t, s)
	service := blast.New(s, time.Now)
	span := func(purl, vers string) blast.BlastRadiusInput {
		return blast.BlastRadiusInput{PurlRange: &blast.PurlRangeInput{Purl: purl, Range: vers}}
	}
	left := ptr("pkg:npm/left")
	for name, c := range map[string]struct {
		of   blast.BlastRadiusInput
		in   *blast.BlastRadiusScope
		kind fault.Kind
		path string
	}{
		"nothing":              {blast.BlastRadiusInput{}, nil, fault.BadInput, "of"},
		"two things":           {blast.BlastRadiusInput{Purl: left, Owner: ptr("team:1")}, nil, fault.BadInput, "of"},
		"no purl":              {blast.BlastRadiusInput{Purl: ptr("left")}, nil, fault.BadInput, "of.purl"},
		"no digest":            {blast.BlastRadiusInput{Digest: ptr("sha256:1")}, nil, fault.BadInput, "of.digest"},
		"a range of a version": {span("pkg:npm/left@1", "vers:npm/*"), nil, fault.BadInput, "of.purlRange.purl"},
		"another ecosystem":    {span("pkg:npm/left", "vers:pypi/>1"), nil, fault.BadInput, "of.purlRange.range"},
		"a long range":         {span("pkg:npm/left", "vers:npm/>"+strings.Repeat("1", 1000)), nil, fault.BadInput, "of.purlRange.range"},
		"no version":           {span("pkg:npm/left", "vers:npm/>=main"), nil, fault.BadInput, "of.purlRange.range"},
		"unknown advisory":     {blast.BlastRadiusInput{Vulnerability: ptr("CVE-9")}, nil, fault.NotFound, "of.vulnerability"},
		"unknown signer":       {blast.BlastRadiusInput{Signer: ptr("nobody")}, nil, fault.NotFound, "of.signer"},
		"unknown evidence":     {blast.BlastRadiusInput{Evidence: ptr(id.Global("Evidence", 999))}, nil, fault.NotFound, "of.evidence"},
		"no evidence":          {blast.BlastRadiusInput{Evidence: ptr(id.Global("Build", 1))}, nil, fault.BadInput, "of.evidence"},
		"evidence and signer":  {blast.BlastRadiusInput{Evidence: ptr(id.Global("Evidence", 1)), Signer: ptr("signer-1")}, nil, fault.BadInput, "of"},
		"unknown owner":        {blast.BlastRadiusInput{Owner: ptr("team:9")}, nil, fault.NotFound, "of.owner"},
		"many projects":        {blast.BlastRadiusInput{Purl: left}, &blast.BlastRadiusScope{ProjectKeys: make([]string, 101)}, fault.BadInput, "in.projectKeys"},
		"many stages":          {blast.BlastRadiusInput{Purl: left}, &blast.BlastRadiusScope{Stages: make([]string, 21)}, fault.BadInput, "in.stages"},
	} {
		_, err := service.Of(viewer(auth.Organisation), c.of, c.in)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != c.kind || f.Path != c.path {
			t.Errorf("%s: got %v, want %s at %s", name, err, c.kind, c.path)
		}
	}
}

// TestNoQuestionReadsAWholeTable looks at the plans of everything that can be asked.
func TestNoQuestionReadsAWholeTable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		e := grow(1)
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		service := blast.New(s, time.Now)
		// What the statements bring along is no table.
		brought := []string{"json_each", "h"}
		for _, in := range []*blast.BlastRadiusScope{
			nil, {LiveOnly: true, Stages: []string{"QA", "PROD"}}, {LiveOnly: true, AsOf: ptr(hour(80)), ProjectKeys: []string{"project-1", "project-2"}},
		} {
			for _, a := range askings(e) {
				testdb.NoScans(viewer(1, 2, 3), t, dsn, func(ctx context.Context) error {
					r, err := service.Of(ctx, a.of, in)
					if err != nil {
						return err
					}
					_, err = r.Export(ctx, "CSV")
					if err != nil {
						return err
					}
					told(ctx, t, service, a.of, in)
					return nil
				}, brought...)
			}
		}
	})
}

func TestAVersionShowsItsFirstHundredWays(t *testing.T) {
	e := &estate{
		apps: []app{{project: 1}}, versions: []version{{app: 1, created: start, manifest: digest("manifest", 1)}},
		parts:    []part{{version: 1, digest: digest("artifact", 1)}},
		evidence: []statement{{sbom: 1, created: start, subjects: []string{digest("artifact", 1)}}}, sboms: [][]entry{nil},
	}
	for i := range 150 {
		e.components = append(e.components, fmt.Sprintf("pkg:npm/many@1.0.%d", i))
		e.sboms[0] = append(e.sboms[0], entry{component: i + 1})
	}
	s := testdb.Open(t, testdb.SQLite(t))
	e.settle(t, s)
	ctx := viewer(auth.Organisation)
	r, err := blast.New(s, time.Now).Of(ctx, blast.BlastRadiusInput{Purl: ptr("pkg:npm/many")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hits, _, err := r.Hits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := r.Show(ctx, hits)
	if err != nil || len(shown) != 1 || len(shown[0].Through) != 100 {
		t.Fatalf("shown are %+v, %v", shown, err)
	}
	sum, err := r.Summary(ctx)
	if err != nil || sum.Components != 150 {
		t.Errorf("counted are %+v, %v", sum, err)
	}
	if lines, err := r.Export(ctx, "JSON_LINES"); err != nil || strings.Count(lines, "\n") != 150 {
		t.Errorf("%d lines, %v", strings.Count(lines, "\n"), err)
	}
}

func TestExportIsALineAVersionAndWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		e := grow(1)
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		ctx := viewer(auth.Organisation)
		r, err := blast.New(s, time.Now).Of(ctx, blast.BlastRadiusInput{Purl: ptr("pkg:npm/left")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, ways := range e.answer(ofPackage("pkg:npm/left", true)(e, asked{}), asked{}) {
			want += len(ways)
		}
		lines, err := r.Export(ctx, "JSON_LINES")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(lines, "\n"); n != want {
			t.Errorf("%d lines, want %d", n, want)
		}
		var first map[string]any
		if err := json.Unmarshal([]byte(lines[:strings.Index(lines, "\n")]), &first); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"application", "version", "project", "trust", "owners"} {
			if v := fmt.Sprint(first[name]); v == "" || v == "[]" || v == "<nil>" {
				t.Errorf("a line says %q of %s", v, name)
			}
		}
		table, err := r.Export(ctx, "CSV")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(table, "\r\n"); n != want+1 {
			t.Errorf("%d lines of CSV, want %d and their names", n, want)
		}
		if _, err := r.Export(ctx, "XLS"); err == nil {
			t.Error("a format that is none is taken")
		}
	})
}
