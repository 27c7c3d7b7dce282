package version

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/internal/catalog"
)

// Level says whose a part of a version is, seen from the application that ships it.
type Level string

// The levels.
const (
	FirstParty  Level = "FIRST_PARTY"  // the application's own
	SecondParty Level = "SECOND_PARTY" // another application's of the organisation
	ThirdParty  Level = "THIRD_PARTY"  // nobody's here
)

// LevelOf returns the level of something that owner owns; owner is nil when nobody does.
func LevelOf(applicationID int, owner *db.Application) Level {
	switch {
	case owner == nil:
		return ThirdParty
	case owner.ID == applicationID:
		return FirstParty
	default:
		return SecondParty
	}
}

// RefOf names the package version of a releasable for the catalog. An artifact has none: nobody can bind it.
func RefOf(r *db.Releasable) (catalog.PackageRef, bool) {
	if r.PackageID == nil || r.PackageVersionID == nil {
		return catalog.PackageRef{}, false
	}
	return catalog.PackageRef{PackageID: *r.PackageID, VersionID: *r.PackageVersionID}, true
}

// Claim is what decides who owns a part: the package version that it is, if it is one, and the application whose version
// brought it, by row; 0 when none did.
type Claim struct {
	Package catalog.PackageRef
	Origin  int
}

// ClaimOf returns what decides who owns a releasable.
func ClaimOf(r *db.Releasable) Claim {
	var c Claim
	c.Package, _ = RefOf(r) // the zero reference of an artifact is owned by nobody
	if r.OriginApplicationID != nil {
		c.Origin = *r.OriginApplicationID
	}
	return c
}

// OwnersOfParts returns which application owns each part now: that which the package is bound to, and where it is bound to
// none, that whose version brought it. What nobody owns is not in the answer, nor is what an application owns that does
// not exist for whoever asks.
func OwnersOfParts(ctx context.Context, c *db.Client, claims []Claim) (map[Claim]*db.Application, error) {
	refs := make([]catalog.PackageRef, len(claims))
	for i, claim := range claims {
		refs[i] = claim.Package
	}
	bound, err := catalog.OwnersOfPackages(ctx, c, refs)
	if err != nil {
		return nil, err
	}
	owners, wanted := map[Claim]int{}, map[int]bool{}
	for _, claim := range claims {
		owner, ok := bound[claim.Package]
		if !ok {
			owner = claim.Origin
		}
		if owner != 0 {
			owners[claim], wanted[owner] = owner, true
		}
	}
	seen := map[int]*db.Application{}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(wanted)), 5000) { // SQLite takes 32,766 in a statement
		rows, err := c.Application.Query().Where(application.IDIn(ids...)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load applications that own parts: %w", err)
		}
		for _, a := range rows {
			seen[a.ID] = a
		}
	}
	found := make(map[Claim]*db.Application, len(owners))
	for claim, owner := range owners {
		if a := seen[owner]; a != nil {
			found[claim] = a
		}
	}
	return found, nil
}

// OwnersOfParts is the function of this name, on what is committed.
func (s *Service) OwnersOfParts(ctx context.Context, claims []Claim) (map[Claim]*db.Application, error) {
	return OwnersOfParts(ctx, s.store.Read(), claims)
}
