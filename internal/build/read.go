package build

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/buildartifact"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxProjects is how many keys a filter may name.
const maxProjects = 100

// Build returns a build by its names, or nil when there is none for whoever asks.
func (s *Service) Build(ctx context.Context, name, number string) (*db.Build, error) {
	return Find(ctx, s.store.Read(), BuildRefInput{Name: name, Number: number}, nil)
}

// Find returns a build by its names, or nil when there is none for whoever asks. The home's build, if a project is given,
// comes before another project's, and that before the organisation's; of several projects', that of the first key.
func Find(ctx context.Context, c *db.Client, ref BuildRefInput, home *int) (*db.Build, error) {
	wheres := [][]predicate.Build{{build.RealmNEQ("")}, {build.Realm("")}}
	if home != nil {
		wheres = append([][]predicate.Build{{build.ProjectID(*home)}}, wheres...)
	}
	for _, where := range wheres {
		b, err := c.Build.Query().Where(build.Name(ref.Name), build.Number(ref.Number)).Where(where...).Order(build.ByRealm()).First(ctx)
		if err == nil || !db.IsNotFound(err) {
			return b, wrap(err, "load build %s#%s", ref.Name, ref.Number)
		}
	}
	return nil, nil
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// ByID returns those of the builds that exist for whoever asks.
func (s *Service) ByID(ctx context.Context, ids []int) (map[int]*db.Build, error) {
	rows, err := s.store.Read().Build.Query().Where(build.IDIn(ids...)).All(ctx)
	found := make(map[int]*db.Build, len(rows))
	for _, b := range rows {
		found[b.ID] = b
	}
	return found, wrap(err, "load builds")
}

// Artifacts returns what each of the builds made, in the order of the report.
func (s *Service) Artifacts(ctx context.Context, builds []int) (map[int][]*db.BuildArtifact, error) {
	rows, err := s.store.Read().BuildArtifact.Query().Where(buildartifact.BuildIDIn(builds...)).Order(buildartifact.ByID()).All(ctx)
	made := make(map[int][]*db.BuildArtifact, len(builds))
	for _, a := range rows {
		made[a.BuildID] = append(made[a.BuildID], a)
	}
	return made, wrap(err, "load what builds made")
}

// List returns a page of the builds that the filter takes; nil takes all. Nil order is the order in which they were reported.
func (s *Service) List(ctx context.Context, f *BuildFilter, order *db.BuildOrder, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.BuildConnection, error) {
	if err := checkCursors(order, after, before); err != nil {
		return nil, err
	}
	where, err := f.predicates()
	if err != nil {
		return nil, err
	}
	return s.store.Read().Build.Query().Where(where...).Paginate(ctx, after, first, before, last, db.WithBuildOrder(order))
}

// checkCursors refuses positions of a list in another order: those of one that is ordered by instant carry it.
func checkCursors(order *db.BuildOrder, after, before *entgql.Cursor[int]) error {
	for path, c := range map[string]*entgql.Cursor[int]{"after": after, "before": before} {
		if c != nil && (c.Value != ent.Value(nil)) != (order != nil) {
			return fault.At(path, "this cursor is of a list in another order; pass one that the list in this order gave")
		}
	}
	return nil
}

func (f *BuildFilter) predicates() ([]predicate.Build, error) {
	if f == nil {
		return nil, nil
	}
	var where []predicate.Build
	if f.Name != nil {
		where = append(where, build.Name(*f.Name))
	}
	if f.Revision != nil {
		where = append(where, build.Revision(*f.Revision))
	}
	if f.Artifact != nil {
		if err := check.Digest("filter.artifact", *f.Artifact); err != nil {
			return nil, err
		}
		where = append(where, within(build.FieldID, buildartifact.Table, buildartifact.FieldBuildID, sql.FieldEQ(buildartifact.FieldDigest, *f.Artifact)))
	}
	if len(f.ProjectKeys) > 0 {
		if err := check.List("filter.projectKeys", len(f.ProjectKeys), maxProjects); err != nil {
			return nil, err
		}
		where = append(where, within(build.FieldProjectID, project.Table, project.FieldID, sql.FieldIn(project.FieldKey, f.ProjectKeys...)))
	}
	return where, nil
}

// within holds for builds whose column is among the keys of those rows of another table for which the rest holds: a
// subquery that stands by itself starts with the other table's index.
func within(column, table, key string, holds func(*sql.Selector)) predicate.Build {
	return func(s *sql.Selector) {
		b := sql.Dialect(s.Dialect())
		other := b.Table(table)
		keys := b.Select(other.C(key)).From(other)
		holds(keys)
		s.Where(sql.In(s.C(column), keys))
	}
}
