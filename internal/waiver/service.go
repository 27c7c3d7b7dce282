package waiver

import (
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service keeps waivers.
type Service struct {
	store  *store.Store
	log    *activity.Log
	blasts *blast.Service
	now    func() time.Time
}

// New returns the waiver service; now is the clock.
func New(s *store.Store, log *activity.Log, blasts *blast.Service, now func() time.Time) *Service {
	return &Service{store: s, log: log, blasts: blasts, now: now}
}

// oneByOne lets changes of one waiver wait for each other: whoever comes second sees what the first did. SQLite needs no lock:
// there, one transaction writes at a time.
func oneByOne(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}
