package freeze

import (
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/store"
)

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

// Active tells whether a freeze holds at this moment.
func (s *Service) Active(f *db.Freeze) bool { return ActiveAt(f, s.now()) }

// ActiveAt tells whether a freeze holds at an instant: from its beginning on, and no longer at its end.
func ActiveAt(f *db.Freeze, at time.Time) bool {
	return f.LiftedAt == nil && !f.StartsAt.After(at) && f.EndsAt.After(at)
}
