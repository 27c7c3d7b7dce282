package blast_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// record is what an advisory says: of packages, the versions that it lists. Of each of them it says, too, that every version from
// 10.0.0 up to 11.0.0 is affected, which nobody has.
type record struct {
	name      string
	withdrawn bool
	listed    map[string][]string // by package
}

// record is that of a vulnerability with a number: it lists what is matched.
func (e *estate) record(vulnerability, number int) record {
	r := record{
		name: fmt.Sprint([]string{"CVE-", "GHSA-"}[number-1], vulnerability), listed: map[string][]string{},
		withdrawn: vulnerability == 3 || vulnerability == 2 && number == 2,
	}
	for _, m := range e.matches {
		base, version, ok := strings.Cut(e.components[m.component-1], "@")
		if m.vulnerability == vulnerability && m.advisory == number && ok && !strings.ContainsAny(version, "?#") && strings.HasPrefix(base, "pkg:") {
			r.listed[base] = append(r.listed[base], version)
		}
	}
	return r
}

func (r record) bases() []string { return slices.Sorted(maps.Keys(r.listed)) }

func (r record) bytes() []byte {
	type object = map[string]any
	affected := []object{}
	for _, base := range r.bases() {
		affected = append(affected, object{
			"package": object{"ecosystem": "npm", "name": nameOf(base)}, "versions": r.listed[base],
			"ranges": []object{{"type": "SEMVER", "events": []object{{"introduced": "10.0.0"}, {"fixed": "11.0.0"}}}},
		})
	}
	document := object{"id": r.name, "modified": start, "affected": affected}
	if r.withdrawn {
		document["withdrawn"] = start
	}
	b, _ := json.Marshal(document) // texts alone
	return b
}

func nameOf(base string) string {
	return strings.ReplaceAll(strings.TrimPrefix(base, "pkg:npm/"), "%40", "@")
}

func (r record) digest() string { return canonical.Digest(r.bytes()) }

func (e *estate) records(tb testing.TB) (list []store.Packed) {
	tb.Helper()
	for v := 1; v <= 3; v++ {
		for number := 1; number <= 2; number++ {
			packed, err := store.Pack(e.record(v, number).bytes())
			if err != nil {
				tb.Fatal(err)
			}
			list = append(list, packed)
		}
	}
	return list
}

// speaks tells whether one of the records of a vulnerability may speak of a version. A branch cannot be compared.
func (e *estate) speaks(vulnerability int, numbers []int, base, version string) bool {
	return slices.ContainsFunc(numbers, func(number int) bool {
		listed, named := e.record(vulnerability, number).listed[base]
		return named && (slices.Contains(listed, version) || version == "main" || strings.HasPrefix(version, "10."))
	})
}

// upgraded asks the question of an estate in which everything that lists a package lists it in another version.
func (q question) upgraded(to map[string]string) question {
	u, bad := q, q.upgrade
	if bad == nil {
		bad = func(base, version string) bool { return q.component(base + "@" + version) }
	}
	u.component = func(purl string) bool {
		base := purl
		if i := strings.IndexAny(purl, "@?#"); i >= 0 {
			base = purl[:i]
		}
		if version, ok := to[base]; ok {
			return bad(base, version)
		}
		return q.component(purl)
	}
	if q.release != nil {
		u.release = func(r release) bool {
			if version, ok := to[r.pkg]; ok {
				r.version = version
			}
			return q.release(r)
		}
	}
	return u
}

// TestRule38AnUpgradeIsAskedOfBeforeItIsMade compares what would be hit with a key in which everything was upgraded.
func TestRule38AnUpgradeIsAskedOfBeforeItIsMade(t *testing.T) {
	upgrades := []map[string]string{
		{"pkg:npm/left": "1.1.0"},
		{"pkg:npm/left": "2.0.0"},
		{"pkg:npm/left": "3.0.0"},
		{"pkg:npm/left": "main"},
		{"pkg:npm/left": "9.0.0", "pkg:npm/right": "9.0.0"},
		{"pkg:npm/left-pad": "10.5.0", "pkg:npm/right": "1.0.0"},
		{"pkg:npm/%40left/pad": "2.10.0"},
		{"pkg:npm/nobody-has-it": "1.0.0"},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		for seed := range uint64(2) {
			e := grow(seed + 1)
			s := testdb.Open(t, dsn)
			if seed > 0 {
				s = testdb.Open(t, testdb.SQLite(t))
			}
			e.settle(t, s)
			service := blast.New(s, time.Now)
			changed := map[string]bool{}
			for _, a := range askings(e) {
				if a.of.Vulnerability == nil && a.of.Purl == nil && a.of.PurlRange == nil {
					continue
				}
				plain := e.told(e.answer(a.key(e, asked{}), asked{}), asked{})
				for _, to := range upgrades {
					var list []string
					for base, version := range to {
						list = append(list, base+"@"+version+"?arch=any")
					}
					want := e.told(e.answer(a.key(e, asked{}).upgraded(to), asked{}), asked{})
					if got := told(viewer(auth.Organisation), t, service, a.of, &blast.BlastRadiusScope{Upgraded: list}); got != want {
						t.Errorf("%s with %v: got\n%s\nwant\n%s", a.name, to, got, want)
					}
					changed[a.name] = changed[a.name] || want != plain
					then := asked{projects: []int{2}, at: hour(50)}
					want = e.told(e.answer(a.key(e, then).upgraded(to), then), then)
					if got := told(viewer(2), t, service, a.of, &blast.BlastRadiusScope{AsOf: ptr(then.at), Upgraded: list}); got != want {
						t.Errorf("%s with %v, of a project then: got\n%s\nwant\n%s", a.name, to, got, want)
					}
				}
			}
			for _, name := range []string{"CVE-1", "CVE-2", "version of a package", "pkg:npm/left vers:npm/>=2.0.0|<3.0.0"} {
				if !changed[name] {
					t.Errorf("no upgrade changes what is hit by %s: nothing is asked", name)
				}
			}
		}
	})
}

func TestUpgradesThatAreNoneAreRefused(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	grow(7).settle(t, s)
	service := blast.New(s, time.Now)
	left := blast.BlastRadiusInput{Purl: ptr("pkg:npm/left")}
	for name, c := range map[string]struct {
		of       blast.BlastRadiusInput
		upgraded []string
		path     string
	}{
		"many":                         {left, make([]string, 21), "in.upgraded"},
		"no purl":                      {left, []string{"pkg:npm/left@1", "right"}, "in.upgraded.1"},
		"no version":                   {left, []string{"pkg:npm/left"}, "in.upgraded.0"},
		"two versions of one":          {left, []string{"pkg:npm/left@1", "pkg:npm/right@1", "pkg:npm/left@2?os=linux"}, "in.upgraded.2"},
		"of what is no package":        {blast.BlastRadiusInput{Digest: ptr(digest("artifact", 1))}, []string{"pkg:npm/left@1"}, "in.upgraded"},
		"of whoever signed":            {blast.BlastRadiusInput{Signer: ptr("signer-1")}, []string{"pkg:npm/left@1"}, "in.upgraded"},
		"of what somebody answers for": {blast.BlastRadiusInput{Owner: ptr("team:1")}, []string{"pkg:npm/left@1"}, "in.upgraded"},
	} {
		_, err := service.Of(viewer(auth.Organisation), c.of, &blast.BlastRadiusScope{Upgraded: c.upgraded})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.BadInput || f.Path != c.path {
			t.Errorf("%s: got %v, want a refusal at %s", name, err, c.path)
		}
	}
}

// groupsOf puts what is hit by application and by component in the words of the key.
func groupsOf(ctx context.Context, t *testing.T, r *blast.Radius) string {
	t.Helper()
	counts, _, err := r.ByApplication(ctx)
	if err != nil {
		t.Fatal(err)
	}
	apps, err := r.Applications(ctx, counts)
	if err != nil {
		t.Fatal(err)
	}
	components, err := r.ByComponent(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, c := range counts {
		fmt.Fprint(&out, apps[i].Key, " ", c.Versions, "; ")
	}
	for _, c := range components {
		name := c.Component.Name + "@" + c.Component.Version
		if c.Component.Purl != nil {
			name = *c.Component.Purl
		}
		fmt.Fprint(&out, name, " in ", c.Versions, " of ", c.Applications, " ", c.Component.Direct, "; ")
	}
	return out.String()
}

// TestComponentsInMostVersionsComeFirst has more components than are told, of which the last is in two versions.
func TestComponentsInMostVersionsComeFirst(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		const many = 1100
		e := &estate{apps: []app{{project: 1}}, sboms: [][]entry{nil, {{component: many}}}}
		for i := range 2 {
			e.versions = append(e.versions, version{app: 1, created: start, manifest: digest("manifest", i)})
			e.evidence = append(e.evidence, statement{sbom: i + 1, created: start, subjects: []string{e.versions[i].manifest}})
		}
		for i := range many {
			e.components = append(e.components, fmt.Sprintf("pkg:npm/many@1.0.%04d", i))
			e.sboms[0] = append(e.sboms[0], entry{component: i + 1})
		}
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		ctx := viewer(auth.Organisation)
		r, err := blast.New(s, time.Now).Of(ctx, blast.BlastRadiusInput{Purl: ptr("pkg:npm/many")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		list, err := r.ByComponent(ctx)
		if err != nil || len(list) != blast.MaxComponents {
			t.Fatalf("%d components, %v", len(list), err)
		}
		first, last := list[0], list[len(list)-1]
		if *first.Component.Purl != e.components[many-1] || first.Versions != 2 || first.Applications != 1 || !slices.Equal(first.Component.Licenses, []string{"of bill 2"}) {
			t.Errorf("first is %s in %d versions of %d applications, under %v", *first.Component.Purl, first.Versions, first.Applications, first.Component.Licenses)
		}
		if *last.Component.Purl != "pkg:npm/many@1.0.0998" || last.Versions != 1 {
			t.Errorf("last is %s in %d versions", *last.Component.Purl, last.Versions)
		}
	})
}

// TestNoUpgradeReadsAWholeTable looks at the plans of what upgrades ask beyond the question.
func TestNoUpgradeReadsAWholeTable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		e := grow(1)
		s := testdb.Open(t, dsn)
		e.settle(t, s)
		service := blast.New(s, time.Now)
		in := &blast.BlastRadiusScope{Upgraded: []string{"pkg:npm/left@2.0.0", "pkg:npm/right@10.5.0"}}
		for _, of := range []blast.BlastRadiusInput{{Vulnerability: ptr("CVE-1")}, {Purl: ptr("pkg:npm/left@2.0.0")}} {
			testdb.NoScans(viewer(1, 2), t, dsn, func(ctx context.Context) error {
				r, err := service.Of(ctx, of, in)
				if err != nil {
					return err
				}
				_, err = r.ByComponent(ctx)
				return err
			}, "json_each", "h")
		}
	})
}
