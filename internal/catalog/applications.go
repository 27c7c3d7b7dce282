package catalog

import (
	"context"

	"entgo.io/ent"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
)

// Application returns the application with a key, archived or not, or nil when there is none for whoever asks.
func (s *Service) Application(ctx context.Context, key string) (*db.Application, error) {
	a, err := s.store.Read().Application.Query().Where(application.Key(key)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return a, err
}

// Applications returns a page of the applications that the filter takes; without an order, oldest first.
func (s *Service) Applications(ctx context.Context, filter *ApplicationFilter, order *db.ApplicationOrder, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.ApplicationConnection, error) {
	holds, err := filter.Predicates("filter")
	if err != nil {
		return nil, err
	}
	var sample ent.Value
	if order != nil {
		if sample, err = order.Field.Value(&db.Application{}); err != nil {
			return nil, err
		}
	}
	if err := CheckCursors(sample, after, before); err != nil {
		return nil, err
	}
	return s.store.Read().Application.Query().Where(holds...).Paginate(ctx, after, first, before, last, db.WithApplicationOrder(order))
}

// ApplicationsOf returns a page of a project's applications that are not archived, oldest first.
func (s *Service) ApplicationsOf(ctx context.Context, projectID int, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.ApplicationConnection, error) {
	return s.store.Read().Application.Query().Where(application.ProjectID(projectID), application.ArchivedAtIsNil()).
		Paginate(ctx, after, first, before, last)
}
