package freeze

import (
	"context"
	"errors"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/store"
)

// CreateFreezeInput is a time in which nothing shall move: of a project, an application or a label; without any of them, of
// everything.
type CreateFreezeInput struct {
	ProjectKey, ApplicationKey *string
	Label                      *labels.Label
	Reason                     string
	StartsAt                   *time.Time
	EndsAt                     time.Time
}

// LiftFreezeInput is a freeze to end.
type LiftFreezeInput struct{ ID string }

// FreezeFilter says which freezes to list. What is given must all hold.
type FreezeFilter struct {
	ApplicationKey *string
	Active         *bool
}

// Service keeps freezes.
type Service struct {
	store *store.Store
	log   *activity.Log
	now   func() time.Time
}

// New returns the freeze service; now is the clock.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	return &Service{store: s, log: log, now: now}
}

// Create makes a freeze.
func (s *Service) Create(ctx context.Context, in CreateFreezeInput) (*db.Freeze, error) {
	return nil, errors.New("todo")
}

// Lift ends a freeze.
func (s *Service) Lift(ctx context.Context, in LiftFreezeInput) (*db.Freeze, error) {
	return nil, errors.New("todo")
}

// List returns a page of the freezes that the filter takes, oldest first; nil takes all.
func (s *Service) List(ctx context.Context, f *FreezeFilter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.FreezeConnection, error) {
	return nil, errors.New("todo")
}

// Active tells whether a freeze holds at this moment.
func (s *Service) Active(f *db.Freeze) bool { return false }
