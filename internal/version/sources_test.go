package version_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/migrate"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

func digestOf(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// built reports build ci#number to a project: an image, and the package a.
func (w *world) built(project, number string) *db.Build {
	w.tb.Helper()
	b, _, err := w.builds.Report(w.admin, build.ReportBuildInput{
		Name: "ci", Number: number, ProjectKey: &project,
		Source: &build.BuildSourceInput{Repository: "https://git.example.org/x", Revision: hex64},
		Artifacts: []*build.BuildArtifactInput{
			{Name: "image", Digest: "sha256:" + hex64}, {Name: "a.tgz", Digest: digestOf("a"), Purl: ptr("pkg:npm/a@1")}, {Name: "docs", Digest: digestOf("d")},
		},
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return b
}

// of is a version of an application from sources.
func of(app, name string, sources version.VersionSourcesInput) version.CreateApplicationVersionInput {
	return version.CreateApplicationVersionInput{ApplicationKey: app, Version: name, Sources: &sources}
}

func builds(numbers ...string) (refs []*build.BuildRefInput) {
	for _, n := range numbers {
		refs = append(refs, &build.BuildRefInput{Name: "ci", Number: n})
	}
	return refs
}

func versions(refs ...string) (list []*version.ApplicationVersionRefInput) {
	for _, ref := range refs {
		app, name, _ := strings.Cut(ref, "@")
		list = append(list, &version.ApplicationVersionRefInput{ApplicationKey: app, Version: name})
	}
	return list
}

// contents are the lines of a version: what, from where, and whose it is seen from the application.
func (w *world) contents(v *db.ApplicationVersion) string {
	w.tb.Helper()
	rows := must(w.st.Read().Releasable.Query().Where(releasable.VersionID(v.ID)).Order(releasable.ByID()).All(w.admin))(w.tb)
	var claims []version.Claim
	for _, r := range rows {
		claims = append(claims, version.ClaimOf(r))
	}
	owners := must(w.versions.OwnersOfParts(w.admin, claims))(w.tb)
	var lines []string
	for i, r := range rows {
		line := fmt.Sprintf("%s by %s", r.Name, r.SourceKind)
		if r.OriginApplicationID != nil {
			line += " of " + w.st.Read().Application.GetX(w.admin, *r.OriginApplicationID).Key
		}
		if (r.SourceBuildID != nil) != (r.SourceKind == releasable.SourceKindBUILD) || (r.SourceVersionID != nil) != (r.SourceKind == releasable.SourceKindVERSION) {
			w.tb.Errorf("%s names the wrong source", line)
		}
		lines = append(lines, line+" "+string(version.LevelOf(v.ApplicationID, owners[claims[i]])))
	}
	if v.ReleasableCount != len(rows) {
		w.tb.Errorf("%d parts are counted, %d kept", v.ReleasableCount, len(rows))
	}
	return strings.Join(lines, ", ")
}

func TestRule03_AVersionIsMadeOfAMixOfSources(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.built("pay", "1")
		must(w.versions.Create(w.admin, of("ledger", "1.0", version.VersionSourcesInput{
			Packages: []*version.PackageSourceInput{{Purl: "pkg:npm/l@1"}}, Artifacts: []*version.ArtifactSourceInput{{Name: "docs", Digest: digestOf("d")}},
		})))(t)
		in := of("checkout", "1.0", version.VersionSourcesInput{
			Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: "sha256:" + hex64}}, Builds: builds("1"), Versions: versions("ledger@1.0"),
		})
		v := must(w.versions.Create(w.admin, in))(t)
		// What several sources bring stands once; the first wins.
		if got := w.contents(v); got != "docs by BUILD THIRD_PARTY, image by ARTIFACT THIRD_PARTY, a by BUILD THIRD_PARTY, l by VERSION of ledger SECOND_PARTY" {
			t.Errorf("the contents are %s", got)
		}
		// A manifest does not say how its parts came: the same contents give the same digest.
		direct := of("checkout", "1.0", version.VersionSourcesInput{
			Packages:  []*version.PackageSourceInput{{Purl: "pkg:npm/l@1"}, {Purl: "pkg:npm/a@1", Digest: ptr(digestOf("a"))}},
			Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: "sha256:" + hex64}, {Name: "docs", Digest: digestOf("d")}},
		})
		must(0, w.st.InTx(w.admin, func(tx *db.Client) error {
			return tx.ApplicationVersion.UpdateOneID(v.ID).SetVersion("0.9").Exec(w.admin) // makes room for the same name
		}))(t)
		if again := must(w.versions.Create(w.admin, direct))(t); again.ManifestDigest != v.ManifestDigest || again.Manifest != v.Manifest {
			t.Errorf("from other sources it is\n%s\nwant\n%s", again.Manifest, v.Manifest)
		}
		page := must(w.versions.MadeFrom(w.admin, 1, nil, nil, nil, nil))(t)
		if page.TotalCount != 1 || page.Edges[0].Node.ID != v.ID {
			t.Errorf("%d versions were made from the build", page.TotalCount)
		}
		testdb.NoScans(w.admin, t, dsn, func(ctx context.Context) error {
			_, err := w.versions.MadeFrom(ctx, 1, nil, ptr(10), nil, nil)
			return err
		})
	})
}

func TestRule05_TheOriginStaysHoweverManyVersionsAgo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		must(w.versions.Create(w.admin, of("ledger", "1.0", version.VersionSourcesInput{
			Packages:  []*version.PackageSourceInput{{Purl: "pkg:npm/bound@1"}, {Purl: "pkg:npm/free@1"}},
			Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: digestOf("b")}},
		})))(t)
		must(w.versions.Create(w.admin, of("web", "1.0", version.VersionSourcesInput{
			Versions: versions("ledger@1.0"), Artifacts: []*version.ArtifactSourceInput{{Name: "page", Digest: digestOf("c")}},
		})))(t)
		v := must(w.versions.Create(w.admin, of("checkout", "1.0", version.VersionSourcesInput{Versions: versions("web@1.0")})))(t)
		must(w.catalog.BindPackage(w.admin, catalog.BindPackageInput{ApplicationKey: "checkout", PURL: "pkg:npm/bound"}))(t)
		if got := w.contents(v); got != "image by VERSION of ledger SECOND_PARTY, page by VERSION of web SECOND_PARTY, bound by VERSION of ledger FIRST_PARTY, free by VERSION of ledger SECOND_PARTY" {
			t.Errorf("the contents are %s", got)
		}
		// Who may not see the application that owns a part sees that nobody does, not that somebody else does.
		p, _ := auth.From(w.admin)
		viewer := auth.With(context.Background(), auth.Principal{ID: p.ID, Name: "vic", Grants: []auth.Grant{{Role: auth.Viewer, Project: w.apps["ledger"].ProjectID}}})
		rows := must(w.st.Read().Releasable.Query().Where(releasable.VersionID(v.ID)).All(w.admin))(t)
		seen := 0
		for _, r := range rows {
			owner := must(w.versions.OwnersOfParts(viewer, []version.Claim{version.ClaimOf(r)}))(t)[version.ClaimOf(r)]
			if owner != nil && (owner.Key != "ledger" || r.Name == "bound" || r.Name == "page") {
				t.Errorf("%s is %s's for a viewer of ledger", r.Name, owner.Key)
			}
			if owner != nil {
				seen++
			}
		}
		if seen != 2 {
			t.Errorf("a viewer of ledger sees the owners of %d parts", seen)
		}
	})
}

func TestRule03_FiltersTakeAndLeaveOut(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.built("pay", "1")
		for name, c := range map[string]struct {
			include, exclude []string
			want             string
		}{
			"all":                     {nil, nil, "docs image a"},
			"by name":                 {[]string{"im*"}, nil, "image"},
			"by purl":                 {[]string{"pkg:npm/*"}, nil, "a"},
			"one or the other":        {[]string{"?", "image"}, nil, "image a"},
			"left out":                {nil, []string{"docs"}, "image a"},
			"left out of what stays":  {[]string{"*a*"}, []string{"pkg:npm/a@?"}, "image"},
			"a filter without a word": {[]string{}, []string{}, "docs image a"},
		} {
			in := of("checkout", "1.0", version.VersionSourcesInput{Builds: builds("1")})
			in.DryRun, in.Filters = true, &version.SourceFiltersInput{Include: c.include, Exclude: c.exclude}
			var got []string
			for _, word := range []string{"docs", "image", "a"} {
				if strings.Contains(must(w.versions.Create(w.admin, in))(t).Manifest, fmt.Sprintf(`"name":%q`, word)) {
					got = append(got, word)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s: %s, want %s", name, s, c.want)
			}
		}
		long := make([]string, 101)
		for path, f := range map[string]version.SourceFiltersInput{
			"input.filters": {Include: []string{"none"}}, "input.filters.include": {Include: long}, "input.filters.exclude": {Exclude: long},
			"input.filters.include.1": {Include: []string{"a", ""}}, "input.filters.exclude.0": {Exclude: []string{strings.Repeat("x", 256)}},
		} {
			in := of("checkout", "1.0", version.VersionSourcesInput{Builds: builds("1")})
			in.Filters = &f
			says := map[string]string{"input.filters": "nothing is left of the 3 parts"}[path]
			w.refused(w.admin, in, fault.BadInput, path, says)
		}
	})
}

func TestASourceIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.built("books", "1")
		draft := of("ledger", "2.0", version.VersionSourcesInput{Artifacts: input().Sources.Artifacts})
		draft.Draft = true
		must(w.versions.Create(w.admin, draft))(t)
		draft.Version, draft.Draft = "1.0", false
		must(w.versions.Create(w.admin, draft))(t)
		p, _ := auth.From(w.admin)
		ofPay := auth.With(context.Background(), auth.Principal{ID: p.ID, Name: p.Name, Grants: []auth.Grant{{Role: auth.Contributor, Project: w.apps["checkout"].ProjectID}}})
		src := func(s version.VersionSourcesInput) version.CreateApplicationVersionInput {
			return of("checkout", "1.0", s)
		}
		for _, c := range []struct {
			who  context.Context
			in   version.CreateApplicationVersionInput
			kind fault.Kind
			path string
			says string
		}{
			{w.admin, src(version.VersionSourcesInput{Versions: versions("ledger@1.0", "ledger@2.0")}), fault.FailedPrecondition, "input.sources.versions.1", "draft"},
			{w.admin, src(version.VersionSourcesInput{Versions: versions("checkout@1.0")}), fault.BadInput, "input.sources.versions.0", "itself"},
			{w.admin, src(version.VersionSourcesInput{Versions: versions("ledger@3.0")}), fault.NotFound, "input.sources.versions.0", "no version"},
			{ofPay, src(version.VersionSourcesInput{Versions: versions("ledger@1.0")}), fault.NotFound, "input.sources.versions.0", "no version"},
			{w.admin, src(version.VersionSourcesInput{Builds: builds("1", "2")}), fault.NotFound, "input.sources.builds.1", "no build"},
			{ofPay, src(version.VersionSourcesInput{Builds: builds("1")}), fault.NotFound, "input.sources.builds.0", "no build"},
			{w.admin, src(version.VersionSourcesInput{Builds: builds(make([]string, 101)...)}), fault.BadInput, "input.sources.builds", "100"},
			{w.admin, src(version.VersionSourcesInput{Versions: versions(make([]string, 101)...)}), fault.BadInput, "input.sources.versions", "100"},
		} {
			w.refused(c.who, c.in, c.kind, c.path, c.says)
		}
	})
}

// rows counts those of every table.
func (w *world) rows() string {
	w.tb.Helper()
	var counts []string
	for _, table := range migrate.Tables {
		rows := must(w.st.Read().QueryContext(w.admin, "SELECT COUNT(*) FROM "+table.Name))(w.tb)
		n := 0
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				w.tb.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			w.tb.Fatal(err)
		}
		counts = append(counts, fmt.Sprint(table.Name, " ", n))
	}
	slices.Sort(counts)
	return strings.Join(counts, "\n")
}

func TestRule07_ADryRunLeavesNoTrace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.built("pay", "1")
		must(w.versions.Create(w.admin, of("ledger", "1.0", version.VersionSourcesInput{Artifacts: input().Sources.Artifacts})))(t)
		in := of("checkout", "1.0", version.VersionSourcesInput{
			Packages: []*version.PackageSourceInput{{Purl: "pkg:npm/never-seen@1"}}, Builds: builds("1"), Versions: versions("ledger@1.0"),
		})
		in.DryRun = true
		before := w.rows()
		var dry *db.ApplicationVersion
		for _, in.Draft = range []bool{true, false} {
			dry = must(w.versions.Create(w.admin, in))(t)
		}
		if after := w.rows(); after != before {
			t.Errorf("a dry run left a trace: before\n%s\nafter\n%s", before, after)
		}
		in.DryRun = false
		if v := must(w.versions.Create(w.admin, in))(t); v.Manifest != dry.Manifest || v.ManifestDigest != dry.ManifestDigest {
			t.Errorf("the dry run said\n%s\nand then it was\n%s", dry.Manifest, v.Manifest)
		}
		in.DryRun = true
		w.refused(w.admin, in, fault.Conflict, "input.version", "reported once")
	})
}
