package approval

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service keeps approvals.
type Service struct {
	store   *store.Store
	log     *activity.Log
	signing *signing.Service
	now     func() time.Time
}

// New returns the approval service; now is the clock.
func New(s *store.Store, log *activity.Log, sign *signing.Service, now func() time.Time) *Service {
	return &Service{store: s, log: log, signing: sign, now: now}
}
