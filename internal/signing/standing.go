package signing

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// atOnce is how many versions one round of statements changes.
const atOnce = 1000

// Reason is why a version changes its standing, as the statement and the event tell.
type Reason struct {
	// Status is the cause with what belongs to it; standing and instant are filled in.
	Status Status
	// Summary is the event's, after the name of the version.
	Summary string
	// Changes stand in the event between the standing and the statement.
	Changes []activity.Change
}

// Restand gives trusted releases another standing in the caller's transaction, as far as they have one of those that it may be
// changed from; each with a signed statement and an event. What is no trusted release any more is left: somebody took it back
// meanwhile. It returns how many changed. The ids are in order, so that two who change the same ones wait one way only.
func (s *Service) Restand(ctx context.Context, tx *db.Client, ids []int, from []applicationversion.Standing, to applicationversion.Standing, why func(*db.ApplicationVersion) Reason) (int, error) {
	changed := 0
	for some := range slices.Chunk(ids, atOnce) {
		versions, err := s.held(ctx, tx, some, from)
		if err != nil {
			return 0, fmt.Errorf("hold versions: %w", err)
		}
		if len(versions) == 0 {
			continue
		}
		if err := s.restand(ctx, tx, versions, to, why); err != nil {
			return 0, err
		}
		changed += len(versions)
	}
	return changed, nil
}

// held loads versions, with application and project, whose standing stays as it is until the transaction ends.
func (s *Service) held(ctx context.Context, tx *db.Client, ids []int, from []applicationversion.Standing) ([]*db.ApplicationVersion, error) {
	return tx.ApplicationVersion.Query().
		Where(
			applicationversion.IDIn(ids...), applicationversion.StandingIn(from...),
			applicationversion.TrustEQ(applicationversion.TrustTRUSTED_RELEASE),
			func(sel *sql.Selector) {
				if s.store.Dialect() == dialect.Postgres {
					sel.For(sql.LockNoKeyUpdate)
				}
			},
		).
		WithApplication().WithProject().Order(applicationversion.ByID()).
		Select(
			applicationversion.FieldVersion, applicationversion.FieldManifestDigest, applicationversion.FieldStanding,
			applicationversion.FieldApplicationID, applicationversion.FieldProjectID,
		).All(auth.System(ctx))
}

func (s *Service) restand(ctx context.Context, tx *db.Client, versions []*db.ApplicationVersion, to applicationversion.Standing, why func(*db.ApplicationVersion) Reason) error {
	ids := make([]int, len(versions))
	for i, v := range versions {
		ids[i] = v.ID
	}
	sys := auth.System(ctx)
	if err := tx.ApplicationVersion.Update().Where(applicationversion.IDIn(ids...)).SetStanding(to).Exec(sys); err != nil {
		return fmt.Errorf("change standings: %w", err)
	}
	rows, err := tx.Releasable.Query().Where(releasable.VersionIDIn(ids...), releasable.DigestNotNil()).Order(releasable.ByID()).
		Select(releasable.FieldVersionID, releasable.FieldName, releasable.FieldDigest).All(sys)
	if err != nil {
		return fmt.Errorf("load contents of versions: %w", err)
	}
	contents := make(map[int][]*db.Releasable, len(versions))
	for _, r := range rows {
		contents[r.VersionID] = append(contents[r.VersionID], r)
	}
	statements, events := make([]Signed, len(versions)), make([]activity.Entry, len(versions))
	for i, v := range versions {
		because := why(v)
		because.Status.Standing, because.Status.Since = to, s.now()
		if statements[i], err = s.SignStatus(ctx, v, contents[v.ID], because.Status); err != nil {
			return err
		}
		if events[i], err = s.log.LayOut(ctx, stands(v, to, because, statements[i])); err != nil {
			return err
		}
	}
	if err := s.RecordEach(ctx, tx, versions, statements); err != nil {
		return err
	}
	return s.log.Write(ctx, tx, events...)
}

// stands is the event of a change.
func stands(v *db.ApplicationVersion, to applicationversion.Standing, because Reason, statement Signed) activity.Event {
	name := v.Edges.Application.Key + "@" + v.Version
	changes := append([]activity.Change{activity.Changed("standing", string(*v.Standing), string(to))}, because.Changes...)
	return activity.Event{
		Type: activity.StandingChanged, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: name,
		Summary: name + " " + because.Summary, Changes: append(changes, Changes([]Signed{statement})...),
	}
}
