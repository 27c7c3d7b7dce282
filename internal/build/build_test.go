package build_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// world is an organisation with the projects pay and books.
type world struct {
	tb       testing.TB
	dsn      string
	st       *store.Store
	builds   *build.Service
	projects map[string]int
	who      int
	admin    context.Context
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, dsn: dsn, st: testdb.Open(tb, dsn), projects: map[string]int{}}
	clock := func() time.Time { return start }
	w.builds = build.New(w.st, activity.New(w.st, clock), clock)
	sys := auth.System(context.Background())
	err := w.st.InTx(sys, func(tx *db.Client) error {
		p, err := tx.Principal.Create().SetName("ci").SetKind(principal.KindUSER).SetCreatedAt(start).Save(sys)
		if err != nil {
			return err
		}
		w.who = p.ID
		for _, key := range []string{"pay", "books"} {
			row, err := tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(start).Save(sys)
			if err != nil {
				return err
			}
			w.projects[key] = row.ID
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.admin = w.as(auth.Grant{Role: auth.OrganisationAdmin})
	return w
}

func (w *world) as(grants ...auth.Grant) context.Context {
	return auth.With(context.Background(), auth.Principal{ID: w.who, Name: "ci", Grants: grants})
}

// on is a contributor of projects.
func (w *world) on(projects ...string) context.Context {
	var grants []auth.Grant
	for _, p := range projects {
		grants = append(grants, auth.Grant{Role: auth.Contributor, Project: w.projects[p]})
	}
	return w.as(grants...)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

const (
	hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	sha   = "sha256:" + hex64
)

// input is build shop#7 of an image and a package.
func input() build.ReportBuildInput {
	return build.ReportBuildInput{
		Name: "shop", Number: "7", StartedAt: new(start.In(time.FixedZone("there", 3600))),
		Source: &build.BuildSourceInput{Repository: "https://git.example.org/pay/shop", Revision: hex64[:40], Branch: new("main")},
		Artifacts: []*build.BuildArtifactInput{
			{Name: "image", Digest: sha}, {Name: "a.tgz", Digest: sha, Purl: new("pkg:NPM/a@1")}, {Name: "image", Digest: sha},
		},
	}
}

func (w *world) report(ctx context.Context, in build.ReportBuildInput) *db.Build {
	w.tb.Helper()
	b, known, err := w.builds.Report(ctx, in)
	if err != nil || known {
		w.tb.Fatalf("report: known is %v, %v", known, err)
	}
	return b
}

// TestABuildsDigestIsTheSameAnywhere holds it to bytes that never change.
func TestABuildsDigestIsTheSameAnywhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		in := input()
		in.ProjectKey = new("pay")
		b := w.report(w.admin, in)
		if b.Digest != "sha256:4db853663a4769836cc5923d7b3233eee8c3a975a28e501b5b0dbebd7c7f82f0" {
			t.Errorf("the digest is %s", b.Digest)
		}
		made := must(w.builds.Artifacts(w.admin, []int{b.ID}))(t)[b.ID]
		if len(made) != 2 || made[0].Name != "image" || made[0].Purl != nil || *made[1].Purl != "pkg:npm/a@1" {
			t.Errorf("it made %v", made)
		}
		slices.Reverse(in.Artifacts)
		again, known, err := w.builds.Report(w.admin, in)
		if err != nil || !known || again.ID != b.ID {
			t.Errorf("the same in another order: %v, %v, %v", again, known, err)
		}
	})
}

func TestRule35_TheSameReportAtOnceIsOneBuild(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		var group sync.WaitGroup
		ids, fresh := make([]int, 8), make([]bool, 8)
		for i := range ids {
			group.Go(func() {
				b, known, err := w.builds.Report(w.admin, input())
				if err != nil {
					t.Error(err)
					return
				}
				ids[i], fresh[i] = b.ID, !known
			})
		}
		group.Wait()
		slices.Sort(ids)
		n := 0
		for _, f := range fresh {
			if f {
				n++
			}
		}
		events := w.st.Read().ActivityEvent.Query().AllX(w.admin)
		if len(slices.Compact(ids)) != 1 || n != 1 || len(events) != 1 || events[0].Type != string(activity.BuildReported) {
			t.Errorf("builds %v, %d of them new, %d events", ids, n, len(events))
		}
		in := input()
		in.Source.Revision = hex64
		w.refused(w.admin, in, fault.Conflict, "input.number", "reported already")
	})
}

func TestWhereABuildGoes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if b := w.report(w.admin, input()); b.ProjectID != nil {
			t.Errorf("an admin's goes to %d", *b.ProjectID)
		}
		if b := w.report(w.on("pay"), input()); *b.ProjectID != w.projects["pay"] {
			t.Errorf("one of a project's goes to %d", *b.ProjectID)
		}
		w.refused(w.on("pay", "books"), input(), fault.BadInput, "input.projectKey", "books, pay")
		in := input()
		in.ProjectKey = new("books")
		w.refused(w.on("pay"), in, fault.NotFound, "input.projectKey", "no project")
		viewer := auth.Grant{Role: auth.Viewer, Project: w.projects["books"]}
		w.refused(w.as(viewer), in, fault.Forbidden, "", "CONTRIBUTOR")
		w.refused(w.as(viewer), input(), fault.Forbidden, "", "CONTRIBUTOR")
		w.refused(context.Background(), input(), fault.Unauthenticated, "", "token")
		if b := w.report(w.as(viewer, auth.Grant{Role: auth.Contributor, Project: w.projects["pay"]}), numbered("8")); *b.ProjectID != w.projects["pay"] {
			t.Errorf("where one may only look, one does not report: %d", *b.ProjectID)
		}

		find := func(ctx context.Context) string {
			b := must(w.builds.Build(ctx, "shop", "7"))(t)
			if b == nil {
				return "none"
			}
			return cmp.Or(b.Realm, "the organisation's")
		}
		for who, c := range map[string]struct {
			ctx  context.Context
			want string
		}{
			"an admin": {w.admin, "pay"}, "pay": {w.on("pay"), "pay"}, "books": {w.on("books"), "the organisation's"}, "nobody": {context.Background(), "none"},
		} {
			if got := find(c.ctx); got != c.want {
				t.Errorf("%s finds %s, want %s", who, got, c.want)
			}
		}
	})
}

func numbered(n string) build.ReportBuildInput {
	in := input()
	in.Number = n
	return in
}

func (w *world) refused(ctx context.Context, in build.ReportBuildInput, kind fault.Kind, path, says string) {
	w.tb.Helper()
	before := w.st.Read().Build.Query().CountX(w.admin)
	_, _, err := w.builds.Report(ctx, in)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		w.tb.Fatalf("got %v, want a fault %s", err, kind)
	}
	if at := cmp.Or(f.Path, fmt.Sprint(f.Details["path"])); f.Kind != kind || at != cmp.Or(path, "<nil>") || !strings.Contains(f.Message, says) {
		w.tb.Errorf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, at, f.Message, kind, path, says)
	}
	if after := w.st.Read().Build.Query().CountX(w.admin); after != before {
		w.tb.Errorf("%d builds became %d", before, after)
	}
}

func TestABuildIsRefused(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	for name, c := range map[string]struct {
		change     func(*build.ReportBuildInput)
		path, says string
	}{
		"no name":                  {func(in *build.ReportBuildInput) { in.Name = "" }, "input.name", "at least 1"},
		"a long number":            {func(in *build.ReportBuildInput) { in.Number = strings.Repeat("1", 129) }, "input.number", "128"},
		"no source":                {func(in *build.ReportBuildInput) { in.Source = nil }, "input.source", "repository"},
		"no repository":            {func(in *build.ReportBuildInput) { in.Source.Repository = "" }, "input.source.repository", "at least 1"},
		"a long repository":        {func(in *build.ReportBuildInput) { in.Source.Repository = "https://" + strings.Repeat("x", 1017) }, "input.source.repository", "1024"},
		"a repository of no form":  {func(in *build.ReportBuildInput) { in.Source.Repository = "pay/shop" }, "input.source.repository", "URI"},
		"a scheme alone":           {func(in *build.ReportBuildInput) { in.Source.Repository = "https://" }, "input.source.repository", "URI"},
		"a repository's password":  {func(in *build.ReportBuildInput) { in.Source.Repository = "https://ci:secret@git.example.org/x" }, "input.source.repository", "password"},
		"a short revision":         {func(in *build.ReportBuildInput) { in.Source.Revision = hex64[:39] }, "input.source.revision", "40 or 64"},
		"a revision in capitals":   {func(in *build.ReportBuildInput) { in.Source.Revision = strings.ToUpper(hex64) }, "input.source.revision", "lower-case"},
		"a long branch":            {func(in *build.ReportBuildInput) { in.Source.Branch = new(strings.Repeat("b", 256)) }, "input.source.branch", "255"},
		"nothing made":             {func(in *build.ReportBuildInput) { in.Artifacts = nil }, "input.artifacts", "at least one"},
		"1,001 artifacts":          {func(in *build.ReportBuildInput) { in.Artifacts = make([]*build.BuildArtifactInput, 1001) }, "input.artifacts", "1000"},
		"a nameless artifact":      {func(in *build.ReportBuildInput) { in.Artifacts[1].Name = "" }, "input.artifacts.1.name", "at least 1"},
		"a digest of no form":      {func(in *build.ReportBuildInput) { in.Artifacts[1].Digest = hex64 }, "input.artifacts.1.digest", "sha256:"},
		"a purl without a version": {func(in *build.ReportBuildInput) { in.Artifacts[1].Purl = new("pkg:npm/a") }, "input.artifacts.1.purl", "names no version"},
		"no purl":                  {func(in *build.ReportBuildInput) { in.Artifacts[1].Purl = new("a") }, "input.artifacts.1.purl", "not a package URL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.tb = t
			in := input()
			c.change(&in)
			w.refused(w.admin, in, fault.BadInput, c.path, c.says)
		})
	}
	for i, repository := range []string{"git@git.example.org:pay/shop.git", "ssh://git@git.example.org/pay/shop", "git+https://git.example.org/x", "file:///srv/git/x"} {
		in := numbered(fmt.Sprint("r", i))
		in.Source.Repository = repository
		w.report(w.admin, in)
	}
}

func TestBuildsAreListedByFilterAndOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.report(w.admin, input())
		w.report(w.on("pay"), numbered("8"))
		other := numbered("9")
		other.Name, other.Source.Revision, other.Artifacts[0].Digest = "ledger", hex64, "sha256:"+strings.Repeat("a", 64)
		w.report(w.on("books"), other)
		type filter = build.BuildFilter
		for name, c := range map[string]struct {
			filter filter
			want   []string
		}{
			"everything": {filter{}, []string{"7", "8", "9"}},
			"name":       {filter{Name: new("shop")}, []string{"7", "8"}},
			"revision":   {filter{Revision: new(hex64)}, []string{"9"}},
			"artifact":   {filter{Artifact: &other.Artifacts[0].Digest}, []string{"9"}},
			"projects":   {filter{ProjectKeys: []string{"pay", "books"}}, []string{"8", "9"}},
			"all of it":  {filter{Name: new("shop"), ProjectKeys: []string{"books"}}, nil},
		} {
			page := must(w.builds.List(w.admin, &c.filter, &db.BuildOrder{Direction: "ASC", Field: db.BuildOrderFieldCreatedAt}, nil, nil, nil, nil))(t)
			var got []string
			for _, e := range page.Edges {
				got = append(got, e.Node.Number)
			}
			if !slices.Equal(got, c.want) || page.TotalCount != len(c.want) {
				t.Errorf("%s: %q of %d, want %q", name, got, page.TotalCount, c.want)
			}
			if name == "everything" {
				continue // what takes all is read in the order of the list
			}
			testdb.NoScans(w.on("pay", "books"), t, dsn, func(ctx context.Context) error {
				_, err := w.builds.List(ctx, &c.filter, nil, nil, new(10), nil, nil)
				return err
			})
		}
		if page := must(w.builds.List(w.on("books"), nil, nil, nil, nil, nil, nil))(t); page.TotalCount != 2 {
			t.Errorf("a project sees %d builds, want its own and the organisation's", page.TotalCount)
		}
		page := must(w.builds.List(w.admin, nil, nil, nil, new(1), nil, nil))(t)
		_, err := w.builds.List(w.admin, nil, &db.BuildOrder{Direction: "ASC", Field: db.BuildOrderFieldCreatedAt}, page.PageInfo.EndCursor, new(1), nil, nil)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Path != "after" {
			t.Errorf("a cursor of another order: %v", err)
		}
		for path, f := range map[string]filter{"filter.artifact": {Artifact: new("x")}, "filter.projectKeys": {ProjectKeys: make([]string, 101)}} {
			_, err := w.builds.List(w.admin, &f, nil, nil, nil, nil, nil)
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Path != path {
				t.Errorf("%s: %v", path, err)
			}
		}
		testdb.NoScans(w.on("pay"), t, dsn, func(ctx context.Context) error {
			_, err := w.builds.Build(ctx, "shop", "7")
			return err
		})
	})
}
