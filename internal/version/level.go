package version

import (
	"github.com/plimsoll/plimsoll/ent/db"
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
