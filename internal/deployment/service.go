package deployment

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service records and reads rollouts.
type Service struct {
	store *store.Store
	log   *activity.Log
	now   func() time.Time
}

// New returns the deployment service; now is the clock.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	return &Service{store: s, log: log, now: now}
}
