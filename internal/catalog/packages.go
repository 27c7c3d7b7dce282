package catalog

import (
	"context"

	"entgo.io/ent"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// Package returns the package that a purl names, whatever its version, or nil when there is none for whoever asks.
func (s *Service) Package(ctx context.Context, text string) (*db.Pkg, error) {
	named, err := purl.Parse(text)
	if err != nil {
		return nil, fault.At("purl", "%s", err)
	}
	p, err := s.store.Read().Pkg.Query().Where(pkg.Purl(named.WithoutVersion())).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return p, err
}

// Packages returns a page of the packages that the filter takes; without an order, oldest first.
func (s *Service) Packages(ctx context.Context, filter *PackageFilter, order *db.PackageOrder, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.PackageConnection, error) {
	holds, err := filter.predicates(ctx, "filter")
	if err != nil {
		return nil, err
	}
	var sample ent.Value
	if order != nil {
		if sample, err = order.Field.Value(&db.Pkg{}); err != nil {
			return nil, err
		}
	}
	if err := CheckCursors(sample, after, before); err != nil {
		return nil, err
	}
	return s.store.Read().Pkg.Query().Where(holds...).Paginate(ctx, after, first, before, last, db.WithPackageOrder(order))
}

// BindingsOf returns a page of who owned a package, or a version of it, from when until when, oldest first.
func (s *Service) BindingsOf(ctx context.Context, packageID int, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.BindingConnection, error) {
	return s.store.Read().Binding.Query().Where(binding.PackageID(packageID)).Paginate(ctx, after, first, before, last)
}
