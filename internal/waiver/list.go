package waiver

import (
	"context"
	"fmt"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/ent/db/waiverdecision"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	maxFilterKeys   = 100
	maxFilterStates = 10
)

// List returns a page of the waivers that the filter takes, oldest first; nil takes all.
func (s *Service) List(ctx context.Context, f *WaiverFilter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.WaiverConnection, error) {
	where, err := f.predicates(s.now())
	if err != nil {
		return nil, err
	}
	return s.store.Read().Waiver.Query().Where(where...).Paginate(ctx, after, first, before, last)
}

func (f *WaiverFilter) predicates(now time.Time) ([]predicate.Waiver, error) {
	if f == nil {
		return nil, nil
	}
	err := check.First(
		check.List("filter.applicationKeys", len(f.ApplicationKeys), maxFilterKeys),
		check.List("filter.states", len(f.States), maxFilterStates),
	)
	if err != nil {
		return nil, err
	}
	var where []predicate.Waiver
	if f.ApplicationKeys != nil {
		where = append(where, entwaiver.HasApplicationWith(application.KeyIn(f.ApplicationKeys...)))
	}
	if f.States != nil {
		states := make([]predicate.Waiver, len(f.States))
		for i, state := range f.States {
			if err := entwaiver.StateValidator(entwaiver.State(state)); err != nil {
				return nil, fault.At(fmt.Sprintf("filter.states.%d", i), "there is no state %q", state)
			}
			states[i] = standing(entwaiver.State(state), now)
		}
		where = append(where, entwaiver.Or(states...))
	}
	if f.Policy != nil {
		where = append(where, entwaiver.PolicyEQ(*f.Policy))
	}
	if f.Rule != nil {
		where = append(where, entwaiver.Rule(*f.Rule))
	}
	if f.ExpiringBefore != nil {
		where = append(where, entwaiver.ExpiresAtLT(f.ExpiringBefore.UTC()))
	}
	return where, nil
}

// standing holds for waivers that stand so at an instant, as StateOf says it.
func standing(state entwaiver.State, at time.Time) predicate.Waiver {
	switch state {
	case entwaiver.StatePENDING, entwaiver.StateAPPROVED:
		return entwaiver.And(entwaiver.StateEQ(state), entwaiver.ExpiresAtGT(at))
	case entwaiver.StateEXPIRED:
		return entwaiver.Or(entwaiver.StateEQ(state), over(at))
	default:
		return entwaiver.StateEQ(state)
	}
}

// over holds for waivers whose time is over and not noted yet.
func over(at time.Time) predicate.Waiver {
	return entwaiver.And(entwaiver.StateIn(entwaiver.StatePENDING, entwaiver.StateAPPROVED), entwaiver.ExpiresAtLTE(at))
}

// StateOf says how a waiver stands at this moment: one whose time is over is EXPIRED, whether it was noted yet or not.
func (s *Service) StateOf(w *db.Waiver) string {
	waiting := w.State == entwaiver.StatePENDING || w.State == entwaiver.StateAPPROVED
	if waiting && !w.ExpiresAt.After(s.now()) {
		return string(entwaiver.StateEXPIRED)
	}
	return string(w.State)
}

// DecisionsOf returns what was said about each of the waivers, oldest first.
func (s *Service) DecisionsOf(ctx context.Context, waiverIDs []int) (map[int][]*db.WaiverDecision, error) {
	rows, err := s.store.Read().WaiverDecision.Query().Where(waiverdecision.WaiverIDIn(waiverIDs...)).Order(waiverdecision.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load decisions on waivers: %w", err)
	}
	out := make(map[int][]*db.WaiverDecision, len(waiverIDs))
	for _, row := range rows {
		out[row.WaiverID] = append(out[row.WaiverID], row)
	}
	return out, nil
}

// ByID returns the waivers of the rows; those out of reach are not there.
func (s *Service) ByID(ctx context.Context, ids []int) (map[int]*db.Waiver, error) {
	rows, err := s.store.Read().Waiver.Query().Where(entwaiver.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load waivers: %w", err)
	}
	out := make(map[int]*db.Waiver, len(rows))
	for _, row := range rows {
		out[row.ID] = row
	}
	return out, nil
}
