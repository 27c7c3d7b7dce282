package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// PackageRef is a package, or one version of it, by row numbers. VersionID is 0 for the package as a whole.
type PackageRef struct {
	PackageID int
	VersionID int
}

// OwningApplications returns which application owns each of the packages or versions now; a version's own binding wins
// over its package's. What nobody owns is not in the answer, nor is what an application owns that does not exist for
// whoever asks.
func (s *Service) OwningApplications(ctx context.Context, refs []PackageRef) (map[PackageRef]*db.Application, error) {
	owners, err := OwnersOfPackages(ctx, s.store.Read(), refs)
	if err != nil {
		return nil, err
	}
	ids := map[int]bool{}
	for _, a := range owners {
		ids[a] = true
	}
	byID := map[int]*db.Application{}
	err = inChunks(ids, func(ids []int) error {
		rows, err := s.store.Read().Application.Query().Where(application.IDIn(ids...)).All(ctx)
		for _, a := range rows {
			byID[a.ID] = a
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load owning applications: %w", err)
	}
	visible := map[PackageRef]*db.Application{}
	for ref, a := range owners {
		if byID[a] != nil {
			visible[ref] = byID[a]
		}
	}
	return visible, nil
}

// OwnersOfPackages is OwningApplications for a transaction, by the applications' row numbers and past the reach of
// whoever acts: for telling FIRST_PARTY from SECOND_PARTY and THIRD_PARTY, not for showing.
func OwnersOfPackages(ctx context.Context, tx *db.Client, refs []PackageRef) (map[PackageRef]int, error) {
	ctx = auth.System(ctx)
	packages, versions := map[int]bool{}, map[int]bool{}
	for _, r := range refs {
		packages[r.PackageID] = true
		if r.VersionID != 0 {
			versions[r.VersionID] = true
		}
	}
	ofPackage, ofVersion := map[int]int{}, map[int]int{}
	err := inChunks(packages, func(ids []int) error {
		rows, err := tx.Binding.Query().Where(binding.PackageIDIn(ids...), binding.PackageVersionIDIsNil(), binding.UntilIsNil()).All(ctx)
		for _, b := range rows {
			ofPackage[b.PackageID] = b.ApplicationID
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load bindings of packages: %w", err)
	}
	err = inChunks(versions, func(ids []int) error {
		rows, err := tx.Binding.Query().Where(binding.PackageVersionIDIn(ids...), binding.UntilIsNil()).All(ctx)
		for _, b := range rows {
			ofVersion[*b.PackageVersionID] = b.ApplicationID
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load bindings of package versions: %w", err)
	}
	owners := map[PackageRef]int{}
	for _, r := range refs {
		if a, ok := ofVersion[r.VersionID]; ok {
			owners[r] = a
		} else if a, ok := ofPackage[r.PackageID]; ok {
			owners[r] = a
		}
	}
	return owners, nil
}

func inChunks(ids map[int]bool, do func([]int) error) error {
	all := make([]int, 0, len(ids))
	for n := range ids {
		all = append(all, n)
	}
	slices.Sort(all)
	for part := range slices.Chunk(all, chunk) {
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}
