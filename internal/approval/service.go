package approval

import (
	"context"
	"errors"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// ApproveApplicationVersionInput is what to say of a version.
type ApproveApplicationVersionInput struct {
	ApplicationKey, Version, ManifestDigest string
	Approve                                 bool
	Comment                                 *string
}

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

// Approve records what a person says of a version.
func (s *Service) Approve(ctx context.Context, in ApproveApplicationVersionInput) (*db.VersionApproval, error) {
	return nil, errors.New("todo")
}

// Counts tells whether an approval is the latest word of its person about the version.
func (s *Service) Counts(ctx context.Context, a *db.VersionApproval) (bool, error) {
	return false, errors.New("todo")
}

// Of returns what people said of each of the versions, oldest first, at most the newest MaxApprovals.
func (s *Service) Of(ctx context.Context, versionIDs []int) (map[int][]*db.VersionApproval, error) {
	return nil, errors.New("todo")
}
