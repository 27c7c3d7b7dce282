package version

import (
	"context"
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/check"
)

// maxValues is how many values one list of a filter may hold.
const maxValues = 100

// List returns a page of the versions that the filter takes; nil takes all that are not archived. ApplicationID narrows it to one application.
// Nil order is the order in which they were reported.
func (s *Service) List(ctx context.Context, f *ApplicationVersionFilter, order *db.ApplicationVersionOrder, applicationID *int, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ApplicationVersionConnection, error) {
	if err := checkCursors(order, after, before); err != nil {
		return nil, err
	}
	where, err := f.predicates()
	if err != nil {
		return nil, err
	}
	if applicationID != nil {
		where = append(where, applicationversion.ApplicationID(*applicationID))
	}
	return s.store.Read().ApplicationVersion.Query().Where(where...).Paginate(ctx, after, first, before, last, db.WithApplicationVersionOrder(order))
}

// MadeFrom returns a page of the versions that are not archived and contain something that the build made, oldest first.
func (s *Service) MadeFrom(ctx context.Context, buildID int, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ApplicationVersionConnection, error) {
	if err := catalog.CheckCursors(nil, after, before); err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Query().Where(
		applicationversion.ArchivedAtIsNil(),
		catalog.Within[predicate.ApplicationVersion](applicationversion.FieldID, releasable.Table, releasable.FieldVersionID, releasable.SourceBuildID(buildID)),
	).Paginate(ctx, after, first, before, last)
}

// checkCursors refuses positions of a list in another order.
func checkCursors(order *db.ApplicationVersionOrder, after, before *entgql.Cursor[int]) error {
	var sample ent.Value
	switch {
	case order == nil:
	case order.Field == db.ApplicationVersionOrderFieldVersion:
		sample = ""
	default:
		sample = time.Time{}
	}
	return catalog.CheckCursors(sample, after, before)
}

func (f *ApplicationVersionFilter) predicates() ([]predicate.ApplicationVersion, error) {
	if f == nil {
		return []predicate.ApplicationVersion{applicationversion.ArchivedAtIsNil()}, nil
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	where := []predicate.ApplicationVersion{applicationversion.ArchivedAtIsNil()}
	if f.Archived {
		where[0] = applicationversion.ArchivedAtNotNil()
	}
	if f.Status != nil {
		where = append(where, applicationversion.StatusEQ(applicationversion.Status(*f.Status)))
	}
	if f.Text != nil {
		// A range rather than a pattern, so that the index on the version serves.
		where = append(where, applicationversion.VersionGTE(*f.Text), applicationversion.VersionLT(*f.Text+"\U0010ffff"))
	}
	if len(f.ApplicationKeys) > 0 {
		where = append(where, ofApplications(application.KeyIn(f.ApplicationKeys...)))
	}
	if f.ApplicationFilter != nil {
		of, err := f.ApplicationFilter.Predicates("filter.applicationFilter")
		if err != nil {
			return nil, err
		}
		where = append(where, ofApplications(of...))
	}
	if len(f.Trust) > 0 {
		where = append(where, applicationversion.TrustIn(enums[applicationversion.Trust](f.Trust)...))
	}
	if len(f.Standing) > 0 {
		where = append(where, applicationversion.StandingIn(enums[applicationversion.Standing](f.Standing)...))
	}
	if len(f.Stages) > 0 {
		where = append(where, catalog.Within[predicate.ApplicationVersion](applicationversion.FieldStageID, stage.Table, stage.FieldID, stage.NameIn(f.Stages...)))
	}
	if f.Digest != nil {
		where = append(where, holding(*f.Digest))
	}
	if f.From != nil {
		where = append(where, applicationversion.CreatedAtGTE(*f.From))
	}
	if f.To != nil {
		where = append(where, applicationversion.CreatedAtLT(*f.To))
	}
	return where, nil
}

// ofApplications matches versions of the applications for which everything holds.
func ofApplications(hold ...predicate.Application) predicate.ApplicationVersion {
	return catalog.Within[predicate.ApplicationVersion](applicationversion.FieldApplicationID, application.Table, application.FieldID, hold...)
}

func (f *ApplicationVersionFilter) check() error {
	if f.Text != nil {
		if err := check.Text("filter.text", *f.Text, 1, 128); err != nil {
			return err
		}
	}
	if err := check.List("filter.applicationKeys", len(f.ApplicationKeys), maxValues); err != nil {
		return err
	}
	if err := check.List("filter.stages", len(f.Stages), maxValues); err != nil {
		return err
	}
	if f.Digest != nil {
		return check.Digest("filter.digest", *f.Digest)
	}
	return nil
}

// holding matches versions that have the digest as their manifest's or among their contents. The two are united in a
// subquery, where each finds its index.
func holding(digest string) predicate.ApplicationVersion {
	return func(s *sql.Selector) {
		v, r := sql.Table(applicationversion.Table).As("held"), sql.Table(releasable.Table)
		itself := sql.Select(v.C(applicationversion.FieldID)).From(v).Where(sql.EQ(v.C(applicationversion.FieldManifestDigest), digest))
		contents := sql.Select(r.C(releasable.FieldVersionID)).From(r).Where(sql.EQ(r.C(releasable.FieldDigest), digest))
		s.Where(sql.In(s.C(applicationversion.FieldID), itself.UnionAll(contents)))
	}
}

// enums turns the API's enum values, which the schema has checked, into the table's.
func enums[E ~string](values []string) []E {
	out := make([]E, len(values))
	for i, v := range values {
		out[i] = E(v)
	}
	return out
}
