package store_test

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/migrate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// tables returns the names of all tables that can be queried: the entity clients of db.Client.
func tables() []string {
	var names []string
	for f := range reflect.TypeFor[db.Client]().Fields() {
		if f.Type.Kind() == reflect.Pointer {
			if _, ok := f.Type.MethodByName("Query"); ok {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// visible returns the rows of a table that a query answers with. It panics on a table that is none.
func visible(ctx context.Context, c *db.Client, table string) ([]int, error) {
	query := reflect.ValueOf(c).Elem().FieldByName(table).MethodByName("Query").Call(nil)[0]
	out := query.MethodByName("IDs").Call([]reflect.Value{reflect.ValueOf(ctx)})
	ids, _ := reflect.TypeAssert[[]int](out[0])
	err, _ := reflect.TypeAssert[error](out[1])
	slices.Sort(ids)
	return ids, err
}

func grant(ctx context.Context, id int, projects ...int) context.Context {
	p := auth.Principal{ID: id}
	for _, n := range projects {
		p.Grants = append(p.Grants, auth.Grant{Role: auth.Viewer, Project: n})
	}
	return auth.With(ctx, p)
}

func TestRule45_EveryTableHasARule(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	names := tables()
	if len(names) < 30 || len(names) > len(migrate.Tables) {
		t.Fatalf("%d tables were found, of %d in the schema: does this test still find them all?", len(names), len(migrate.Tables))
	}
	for _, table := range names {
		if _, err := visible(system(t), s.Read(), table); err != nil {
			t.Errorf("%s cannot be read: %v", table, err)
		}
	}
}

func TestRule45_WhatOneMayNotSeeDoesNotExist(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		w := newWorld(t, s)
		cases := []struct {
			who  string
			ctx  context.Context
			sees []string
		}{
			{"a viewer of project a", grant(t.Context(), 0, w.a), []string{"a", "both", "everybody"}},
			{"a viewer of project b", grant(t.Context(), 0, w.b), []string{"b", "both", "everybody"}},
			{"a viewer of both", grant(t.Context(), 0, w.a, w.b), []string{"a", "b", "both", "everybody"}},
			{"a viewer of a project without records", grant(t.Context(), 0, 424242), []string{"everybody"}},
			{"a viewer of the organisation", grant(t.Context(), 0, auth.Organisation), []string{"a", "b", "both", "everybody", "organisation"}},
			{"the service itself", system(t), []string{"a", "b", "both", "everybody", "organisation"}},
			{"a principal without a role", grant(t.Context(), w.alice), nil},
			{"nobody", t.Context(), nil},
		}
		for _, c := range cases {
			t.Run(c.who, func(t *testing.T) {
				for _, table := range tables() {
					if len(w.rows[table]) == 0 {
						t.Fatalf("%s: the test has no rows of it; add some to world_test.go", table)
					}
					var want []int
					for _, owner := range c.sees {
						want = append(want, w.rows[table][owner]...)
					}
					slices.Sort(want)
					got, err := visible(c.ctx, s.Read(), table)
					if err != nil || !slices.Equal(got, want) {
						t.Errorf("%s: sees the rows %v, want %v of %v; error %v", table, got, want, w.rows[table], err)
					}
				}
			})
		}
	})
}

func TestRule45_InsideATransactionToo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		w := newWorld(t, s)
		ctx := grant(t.Context(), 0, w.a)
		err := s.InTx(ctx, func(tx *db.Client) error {
			got, err := visible(ctx, tx, "Application")
			if !slices.Equal(got, w.rows["Application"]["a"]) {
				t.Errorf("a viewer of project a sees the applications %v of %v", got, w.rows["Application"])
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestRule45_EveryWayToAskIsNarrowed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		w := newWorld(t, s)
		ctx := grant(t.Context(), 0, w.a)
		foreign := w.rows["Application"]["b"][0]
		c := s.Read()
		for name, ask := range map[string]func() (found int, err error){
			"by number": func() (int, error) {
				_, err := c.Application.Get(ctx, foreign)
				return 1, err
			},
			"by existence": func() (int, error) {
				there, err := c.ApplicationVersion.Query().Where(applicationversion.ProjectID(w.b)).Exist(ctx)
				return map[bool]int{true: 1}[there], err
			},
			"by count": func() (int, error) {
				n, err := c.Application.Query().Count(ctx)
				return n - len(w.rows["Application"]["a"]), err
			},
			"by aggregate": func() (int, error) {
				n, err := c.Application.Query().Aggregate(db.Max("id")).Int(ctx)
				return map[bool]int{true: 1}[n == foreign], err
			},
			"by grouping": func() (int, error) {
				ids, err := c.Application.Query().GroupBy("project_id").Ints(ctx)
				return len(ids) - 1, err
			},
			"by column": func() (int, error) {
				keys, err := c.Application.Query().Select("key").Strings(ctx)
				return map[bool]int{true: 1}[slices.Contains(keys, "app-b")], err
			},
			"along an edge that is loaded": func() (int, error) {
				people, err := c.Principal.Query().WithRoles().All(ctx)
				found := 0
				for _, p := range people {
					for _, r := range p.Edges.Roles {
						if r.ProjectID == nil || *r.ProjectID != w.a {
							found++
						}
					}
				}
				return found, err
			},
			"along an edge that is followed": func() (int, error) {
				n, err := c.Project.Query().QueryApplications().Count(ctx)
				return n - len(w.rows["Application"]["a"]), err
			},
			"along an edge from a row that is known": func() (int, error) {
				b, err := c.Project.Get(system(t), w.b)
				if err != nil {
					return 0, err
				}
				return b.QueryApplications().Count(ctx)
			},
		} {
			t.Run(name, func(t *testing.T) {
				found, err := ask()
				if err != nil && !db.IsNotFound(err) {
					t.Fatal(err)
				}
				if err == nil && found != 0 {
					t.Errorf("%d rows of project b were found", found)
				}
			})
		}
	})
}

func TestRule45_OnesOwnRolesExist(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	w := newWorld(t, s)
	ctx := system(t)
	var own int
	err := s.InTx(ctx, func(tx *db.Client) error {
		r, err := tx.RoleBinding.Create().SetRole(auth.Viewer).SetPrincipalID(w.alice).SetProjectID(w.b).Save(ctx)
		if err == nil {
			own = r.ID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := visible(grant(t.Context(), w.alice, w.a), s.Read(), "RoleBinding")
	if err != nil || !slices.Contains(got, own) {
		t.Errorf("alice sees the role bindings %v, error %v, not her own %d", got, err, own)
	}
}

// What is in reach is looked up by index, however much is out of reach. The queries ask for every row, so that the table
// they are about may be read from end to end; those that the rule looks into may not.
func TestRule45_NarrowingScansNothing(t *testing.T) {
	from := regexp.MustCompile("FROM [`\"](\\w+)")
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		w := newWorld(t, s)
		ctx := grant(t.Context(), 0, w.a)
		for _, table := range tables() {
			for _, statement := range testdb.Plans(ctx, t, dsn, func(ctx context.Context) error {
				_, err := visible(ctx, s.Read(), table)
				return err
			}) {
				own := from.FindStringSubmatch(statement.SQL)[1]
				for _, scanned := range statement.Scans() {
					if scanned != own {
						t.Errorf("%s: the whole of %s is read by\n%s\n%s", table, scanned, statement.SQL, statement.Plan)
					}
				}
			}
		}
	})
}
