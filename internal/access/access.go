package access

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service makes and checks tokens. It is safe for concurrent use.
type Service struct {
	store *store.Store
	log   *activity.Log
	now   func() time.Time
}

// New returns the tokens on a store; now is the clock.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	return &Service{store: s, log: log, now: now}
}
