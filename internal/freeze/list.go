package freeze

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	entfreeze "github.com/plimsoll/plimsoll/ent/db/freeze"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// List returns a page of the freezes that the filter takes, oldest first; nil takes all.
func (s *Service) List(ctx context.Context, f *FreezeFilter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.FreezeConnection, error) {
	where, err := s.which(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.store.Read().Freeze.Query().Where(where...).Paginate(ctx, after, first, before, last)
}

func (s *Service) which(ctx context.Context, f *FreezeFilter) ([]predicate.Freeze, error) {
	if f == nil {
		return nil, nil
	}
	var where []predicate.Freeze
	if f.Active != nil {
		now := s.now()
		active := entfreeze.And(entfreeze.LiftedAtIsNil(), entfreeze.StartsAtLTE(now), entfreeze.EndsAtGT(now))
		if !*f.Active {
			active = entfreeze.Or(entfreeze.LiftedAtNotNil(), entfreeze.StartsAtGT(now), entfreeze.EndsAtLTE(now))
		}
		where = append(where, active)
	}
	if f.ApplicationKey != nil {
		app, err := s.store.Read().Application.Query().Where(application.Key(*f.ApplicationKey)).WithLabels().Only(ctx)
		if db.IsNotFound(err) {
			return nil, missing("filter.applicationKey", "there is no application %q", *f.ApplicationKey)
		}
		if err != nil {
			return nil, fmt.Errorf("load application %s: %w", *f.ApplicationKey, err)
		}
		var list []labels.Label
		for _, l := range app.Edges.Labels {
			list = append(list, labels.Label{Key: l.Key, Value: l.Value})
		}
		where = append(where, covers(app, list))
	}
	return where, nil
}

// covers holds for freezes of the application, its project, one of its labels, or everything.
func covers(app *db.Application, list []labels.Label) predicate.Freeze {
	of := []predicate.Freeze{
		entfreeze.ApplicationID(app.ID),
		entfreeze.And(entfreeze.ProjectID(app.ProjectID), entfreeze.ApplicationIDIsNil()),
		entfreeze.And(entfreeze.ProjectIDIsNil(), entfreeze.LabelKey("")),
	}
	for _, l := range list {
		of = append(of, entfreeze.And(entfreeze.LabelKey(l.Key), entfreeze.LabelValue(l.Value)))
	}
	return entfreeze.Or(of...)
}

// Covering returns the freezes that cover an application with the labels and are not over or lifted at an instant, whether they
// have begun or not, in the order of their rows. It reads as the service itself, because a decision must not depend on who asks
// for it. Client is the store's reader or a transaction.
func (s *Service) Covering(ctx context.Context, client *db.Client, app *db.Application, list []labels.Label, at time.Time) ([]*db.Freeze, error) {
	// Asked for in the order of its rows, SQLite would read the whole table, and not what the index on the end says is not over.
	rows, err := client.Freeze.Query().Where(
		entfreeze.LiftedAtIsNil(), entfreeze.EndsAtGT(at), entfreeze.Or(covers(app, nil), entfreeze.LabelKeyNEQ("")),
	).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load freezes of application %d: %w", app.ID, err)
	}
	slices.SortFunc(rows, func(a, b *db.Freeze) int { return cmp.Compare(a.ID, b.ID) })
	return slices.DeleteFunc(rows, func(f *db.Freeze) bool {
		return f.LabelKey != "" && !slices.Contains(list, labels.Label{Key: f.LabelKey, Value: f.LabelValue})
	}), nil
}
