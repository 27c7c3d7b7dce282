package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
)

// AsOf is a record by its row number, as it was at an instant (in UTC, so that equal instants are equal keys).
type AsOf struct {
	ID int
	At time.Time
}

// OwnersAsOf returns who owned each of the applications at its instant, in the order in which they became owners. A period
// holds from its first instant and no longer at its last; what is to come is as now.
func (s *Service) OwnersAsOf(ctx context.Context, asked []AsOf) (map[AsOf][]*db.Owner, error) {
	owners := map[AsOf][]*db.Owner{}
	for at, ids := range byInstant(asked) {
		rows, err := s.store.Read().Ownership.Query().
			Where(ownership.ApplicationIDIn(ids...), ownership.SinceLTE(at), ownership.Or(ownership.UntilIsNil(), ownership.UntilGT(at))).
			Order(ownership.ByID()).WithOwner().All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load owners of applications as of %s: %w", at, err)
		}
		for _, o := range rows {
			key := AsOf{o.ApplicationID, at}
			owners[key] = append(owners[key], o.Edges.Owner)
		}
	}
	return owners, nil
}

// OwningApplicationsAsOf returns which application owned each of the packages, as a whole, at its instant. What nobody
// owned, or an application that does not exist for whoever asks, is not in the answer.
func (s *Service) OwningApplicationsAsOf(ctx context.Context, asked []AsOf) (map[AsOf]*db.Application, error) {
	owning := map[AsOf]*db.Application{}
	for at, ids := range byInstant(asked) {
		rows, err := s.store.Read().Binding.Query().
			Where(binding.PackageIDIn(ids...), binding.PackageVersionIDIsNil(),
				binding.SinceLTE(at), binding.Or(binding.UntilIsNil(), binding.UntilGT(at))).
			WithApplication().All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load bindings of packages as of %s: %w", at, err)
		}
		for _, b := range rows {
			owning[AsOf{b.PackageID, at}] = b.Edges.Application
		}
	}
	return owning, nil
}

func byInstant(asked []AsOf) map[time.Time][]int {
	groups := map[time.Time][]int{}
	for _, a := range asked {
		groups[a.At] = append(groups[a.At], a.ID)
	}
	return groups
}

// OwnerHistory returns a page of who owned an application from when until when, oldest first.
func (s *Service) OwnerHistory(ctx context.Context, applicationID int, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.OwnershipConnection, error) {
	return s.store.Read().Ownership.Query().Where(ownership.ApplicationID(applicationID)).Paginate(ctx, after, first, before, last)
}

// PurlsOfBindings returns what each of the bindings is about: the purl of the package, or of its one version.
func (s *Service) PurlsOfBindings(ctx context.Context, bindingIDs []int) (map[int]string, error) {
	rows, err := s.store.Read().Binding.Query().Where(binding.IDIn(bindingIDs...)).WithPackage().WithPackageVersion().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load packages of bindings: %w", err)
	}
	purls := make(map[int]string, len(rows))
	for _, b := range rows {
		if v := b.Edges.PackageVersion; v != nil {
			purls[b.ID] = v.Purl
		} else {
			purls[b.ID] = b.Edges.Package.Purl
		}
	}
	return purls, nil
}
