package version

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/check"
)

// Artifact is something with a digest that versions hold.
type Artifact struct {
	Name, Digest string
}

// Artifact returns what has the digest, as the newest version that holds it calls it; nil when no version in the caller's
// reach holds it.
func (s *Service) Artifact(ctx context.Context, digest string) (*Artifact, error) {
	if err := check.Digest("digest", digest); err != nil {
		return nil, err
	}
	part, err := s.store.Read().Releasable.Query().Where(releasable.Digest(digest)).
		Order(releasable.ByVersionID(sql.OrderDesc()), releasable.ByID()).First(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load artifact %s: %w", digest, err)
	}
	return &Artifact{Name: part.Name, Digest: digest}, nil
}

// Releases returns a page of the released versions that hold an artifact, newest first, whatever they are worth today. One
// whose release was taken back is none.
func (s *Service) Releases(ctx context.Context, digest string, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ApplicationVersionConnection, error) {
	order := &db.ApplicationVersionOrder{Direction: entgql.OrderDirectionDesc, Field: db.ApplicationVersionOrderFieldCreatedAt}
	if err := checkCursors(order, after, before); err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Query().Where(containing(digest), released()).
		Paginate(ctx, after, first, before, last, db.WithApplicationVersionOrder(order))
}

// Released returns the version, with its application and its project, whose manifest has the digest; or else the newest one
// that holds something with it. It was released, and is still, where there is such a one; a manifest's version may have been
// taken back since. Nil when there is none in the caller's reach.
func (s *Service) Released(ctx context.Context, digest string) (*db.ApplicationVersion, error) {
	if err := check.Digest("digest", digest); err != nil {
		return nil, err
	}
	for _, where := range [][]predicate.ApplicationVersion{
		{applicationversion.ManifestDigest(digest), onceReleased}, {containing(digest), released()}, {containing(digest), onceReleased},
	} {
		v, err := s.store.Read().ApplicationVersion.Query().Where(where...).WithApplication().WithProject().
			Order(applicationversion.ByCreatedAt(sql.OrderDesc()), applicationversion.ByID(sql.OrderDesc())).First(ctx)
		if db.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load the release of %s: %w", digest, err)
		}
		return v, nil
	}
	return nil, nil
}

// containing matches versions with something that has the digest.
func containing(digest string) predicate.ApplicationVersion {
	return catalog.Within[predicate.ApplicationVersion](applicationversion.FieldID, releasable.Table, releasable.FieldVersionID, releasable.Digest(digest))
}

// released matches versions that are released.
func released() predicate.ApplicationVersion {
	return applicationversion.TrustIn(applicationversion.TrustRELEASED, applicationversion.TrustTRUSTED_RELEASE)
}

// onceReleased holds for versions that were released, whatever became of them. It looks at the promotions of each version that
// is left: they are few, and those of all versions are many.
func onceReleased(s *sql.Selector) {
	p := sql.Table(promotion.Table).As("release")
	s.Where(sql.Exists(sql.Select(p.C(promotion.FieldID)).From(p).Where(sql.And(
		sql.ColumnsEQ(p.C(promotion.FieldVersionID), s.C(applicationversion.FieldID)),
		sql.EQ(p.C(promotion.FieldKind), string(promotion.KindRELEASE)),
		sql.EQ(p.C(promotion.FieldStatus), string(promotion.StatusCOMPLETED)),
	))))
}
