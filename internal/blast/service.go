package blast

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/store"
)

// Service finds what is hit. It writes nothing.
type Service struct {
	store *store.Store
	now   func() time.Time
}

// New returns the service; now is the clock.
func New(s *store.Store, now func() time.Time) *Service { return &Service{store: s, now: now} }
