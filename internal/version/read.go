package version

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
)

// Version returns one version of one application, or nil when there is none for whoever asks.
func (s *Service) Version(ctx context.Context, app, version string) (*db.ApplicationVersion, error) {
	v, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.Version(version), applicationversion.HasApplicationWith(application.Key(app))).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load version %s of %s: %w", version, app, err)
	}
	return v, nil
}

// ByID returns those of the versions that exist for whoever asks.
func (s *Service) ByID(ctx context.Context, ids []int) (map[int]*db.ApplicationVersion, error) {
	rows, err := s.store.Read().ApplicationVersion.Query().Where(applicationversion.IDIn(ids...)).WithApplication().WithCurrentStage().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load versions: %w", err)
	}
	found := make(map[int]*db.ApplicationVersion, len(rows))
	for _, v := range rows {
		found[v.ID] = v
	}
	return found, nil
}

// Contents returns a page of what a version consists of, in the manifest's order.
func (s *Service) Contents(ctx context.Context, versionID int, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ReleasableConnection, error) {
	return s.store.Read().Releasable.Query().Where(releasable.VersionID(versionID)).WithVersion().
		Paginate(ctx, after, first, before, last)
}

// InheritedOwners returns who answered for the application when the version was locked.
func (s *Service) InheritedOwners(ctx context.Context, in Inherited) ([]*db.Owner, error) {
	return s.store.Read().Owner.Query().Where(owner.IDIn(in.Owners...)).Order(owner.ByRef()).All(ctx)
}
