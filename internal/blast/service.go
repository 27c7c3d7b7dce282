package blast

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service finds what is hit. It writes nothing.
type Service struct {
	store *store.Store
	now   func() time.Time
}

// New returns the service; now is the clock.
func New(s *store.Store, now func() time.Time) *Service { return &Service{store: s, now: now} }

// Of understands a question. What is hit is looked up when the answer is first asked for something. It refuses a question
// that is not one, and one that starts from a vulnerability, a trust anchor, evidence or an owner that is not there: an empty answer
// would read as if nothing were hit.
func (s *Service) Of(ctx context.Context, of BlastRadiusInput, in *BlastRadiusScope) (*Radius, error) {
	if err := of.check(); err != nil {
		return nil, err
	}
	var scope BlastRadiusScope
	if in != nil {
		scope = *in
	}
	if err := scope.check(); err != nil {
		return nil, err
	}
	if scope.AsOf != nil {
		at := scope.AsOf.UTC().Truncate(time.Microsecond)
		scope.AsOf = &at
	}
	r := &Radius{service: s, of: of, in: scope, answered: &answered{}}
	reach := auth.ReachOf(ctx)
	if !reach.All && len(reach.Projects) == 0 {
		r.nothing = true
		return r, nil
	}
	start, err := s.resolve(ctx, of, scope)
	if err != nil {
		return nil, err
	}
	r.start = start
	r.where, r.nothing, err = s.narrowed(ctx, scope, reach)
	return r, err
}
