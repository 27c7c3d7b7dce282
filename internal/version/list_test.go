package version_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

func TestVersionsAreListedByFilterAndOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		for _, name := range []string{"1.9", "1.10", "2.0"} {
			in := input("pkg:npm/a@" + name)
			in.Version = name
			must(w.versions.Create(w.admin, in))(t)
		}
		other := input("pkg:npm/a@1")
		other.ApplicationKey, other.Version = "ledger", "1.0"
		made := must(w.versions.Create(w.admin, other))(t)
		past := time.Unix(0, 0)
		type filter = version.ApplicationVersionFilter
		for name, c := range map[string]struct {
			filter filter
			want   []string
		}{
			"everything":         {filter{}, []string{"1.0", "1.10", "1.9", "2.0"}},
			"text":               {filter{Text: ptr("1.")}, []string{"1.0", "1.10", "1.9"}},
			"application":        {filter{ApplicationKeys: []string{"ledger"}}, []string{"1.0"}},
			"of the application": {filter{ApplicationFilter: &catalog.ApplicationFilter{ProjectKeys: []string{"pay"}}}, []string{"1.10", "1.9", "2.0"}},
			"trust":              {filter{Trust: []string{"RELEASED"}}, nil},
			"standing":           {filter{Standing: []string{"GOOD"}}, nil},
			"stage":              {filter{Stages: []string{"QA"}}, nil},
			"digest of itself":   {filter{Digest: &made.ManifestDigest}, []string{"1.0"}},
			"digest of a part":   {filter{Digest: ptr("sha256:" + hex64)}, []string{"1.0", "1.10", "1.9", "2.0"}},
			"from":               {filter{From: &past}, []string{"1.0", "1.10", "1.9", "2.0"}},
			"to":                 {filter{To: &past}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				order := &db.ApplicationVersionOrder{Direction: "ASC", Field: db.ApplicationVersionOrderFieldVersion}
				page := must(w.versions.List(w.admin, &c.filter, order, nil, nil, nil, nil, nil))(t)
				var got []string
				for _, e := range page.Edges {
					got = append(got, e.Node.Version)
				}
				if !slices.Equal(got, c.want) || page.TotalCount != len(c.want) {
					t.Errorf("%q of %d, want %q", got, page.TotalCount, c.want)
				}
				if name == "everything" || name == "from" || name == "to" {
					return // what takes nearly all is read in the order of the list
				}
				testdb.NoScans(w.admin, t, dsn, func(ctx context.Context) error {
					_, err := w.versions.List(ctx, &c.filter, nil, nil, nil, ptr(10), nil, nil)
					return err
				}, "stages")
			})
		}
		t.Run("a cursor of another order", func(t *testing.T) {
			page := must(w.versions.List(w.admin, nil, nil, nil, nil, ptr(1), nil, nil))(t)
			order := &db.ApplicationVersionOrder{Direction: "ASC", Field: db.ApplicationVersionOrderFieldVersion}
			_, err := w.versions.List(w.admin, nil, order, nil, page.PageInfo.EndCursor, ptr(1), nil, nil)
			if f, ok := err.(*fault.Error); !ok || f.Path != "after" {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestRule08_AnArchivedApplicationTakesNoVersions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		must(w.catalog.ArchiveApplication(w.admin, catalog.ArchiveApplicationInput{Key: "checkout", Archived: true}))(t)
		w.refused(w.admin, input(), fault.FailedPrecondition, "input.applicationKey", "archived")
		must(w.catalog.ArchiveApplication(w.admin, catalog.ArchiveApplicationInput{Key: "checkout", Archived: false}))(t)
		must(w.versions.Create(w.admin, input()))(t)
	})
}
