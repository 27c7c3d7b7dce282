package waiver

import (
	"context"
	"errors"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
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

// Request asks for a waiver.
func (s *Service) Request(ctx context.Context, in RequestWaiverInput) (*db.Waiver, error) {
	return nil, errors.New("todo")
}

// Decide says yes or no to a waiver.
func (s *Service) Decide(ctx context.Context, in DecideWaiverInput) (*db.Waiver, error) {
	return nil, errors.New("todo")
}

// Cancel takes a request back.
func (s *Service) Cancel(ctx context.Context, in CancelWaiverInput) (*db.Waiver, error) {
	return nil, errors.New("todo")
}

// Revoke ends a waiver before it expires.
func (s *Service) Revoke(ctx context.Context, in RevokeWaiverInput) (*db.Waiver, error) {
	return nil, errors.New("todo")
}

// List returns a page of the waivers that the filter takes, oldest first; nil takes all.
func (s *Service) List(ctx context.Context, f *WaiverFilter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.WaiverConnection, error) {
	return nil, errors.New("todo")
}

// StateOf says how a waiver stands at this moment: one whose time is over is EXPIRED, whether it was noted yet or not.
func (s *Service) StateOf(w *db.Waiver) string { return string(w.State) }

// DecisionsOf returns what was said about each of the waivers, oldest first.
func (s *Service) DecisionsOf(ctx context.Context, waiverIDs []int) (map[int][]*db.WaiverDecision, error) {
	return nil, errors.New("todo")
}

// Overrides returns what waivers covered of something bad, newest first, and a name for the list as it is now.
func (s *Service) Overrides(ctx context.Context, of blast.BlastRadiusInput) ([]Waived, string, error) {
	return nil, "", errors.New("todo")
}

// ByID returns the waivers of the rows.
func (s *Service) ByID(ctx context.Context, ids []int) (map[int]*db.Waiver, error) {
	return nil, errors.New("todo")
}
