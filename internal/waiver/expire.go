package waiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
)

const (
	// lookEvery is how often waivers are looked at. Whether one counts does not wait for it.
	lookEvery = time.Minute
	// warnBefore is how long before a waiver expires its owners are told.
	warnBefore = 3 * 24 * time.Hour
	// lookAtOnce is how many waivers are looked for in one go.
	lookAtOnce = 500
)

// Run notes which waivers expired, and tells owners of those that are about to, now and once a minute, until ctx is done. Ctx
// says who acts.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.Expire(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "expired waivers were not noted; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Expire notes which waivers expired, and tells owners of those that are about to: each once, however many servers look.
func (s *Service) Expire(ctx context.Context) error {
	now := s.now()
	soon := entwaiver.And(
		entwaiver.StateEQ(entwaiver.StateAPPROVED), entwaiver.ExpiresAtGT(now), entwaiver.ExpiresAtLTE(now.Add(warnBefore)), entwaiver.WarnedAtIsNil(),
	)
	return errors.Join(
		s.note(ctx, over(now), func(u *db.WaiverUpdate) { u.SetState(entwaiver.StateEXPIRED).SetEndedAt(now) }, expired),
		s.note(ctx, soon, func(u *db.WaiverUpdate) { u.SetWarnedAt(now) }, expiring),
	)
}

// note changes each of the waivers and tells of it, unless somebody else has meanwhile.
func (s *Service) note(ctx context.Context, which predicate.Waiver, set func(*db.WaiverUpdate), tell func(*db.Waiver, []*db.Owner) activity.Event) error {
	sys := auth.System(ctx)
	for {
		ids, err := s.store.Read().Waiver.Query().Where(which).Order(entwaiver.ByID()).Limit(lookAtOnce).IDs(sys)
		if err != nil {
			return fmt.Errorf("look for waivers: %w", err)
		}
		for _, id := range ids {
			err := s.store.InTx(sys, func(tx *db.Client) error { return s.noteOne(sys, tx, id, which, set, tell) })
			if err != nil {
				return fmt.Errorf("note what became of waiver %d: %w", id, err)
			}
		}
		if len(ids) < lookAtOnce {
			return nil
		}
	}
}

// noteOne does so for one of them.
func (s *Service) noteOne(sys context.Context, tx *db.Client, id int, which predicate.Waiver, set func(*db.WaiverUpdate), tell func(*db.Waiver, []*db.Owner) activity.Event) error {
	update := tx.Waiver.Update().Where(entwaiver.ID(id), which)
	set(update)
	if n, err := update.Save(sys); err != nil || n == 0 {
		return err
	}
	w, err := tx.Waiver.Query().Where(entwaiver.ID(id)).
		WithApplication(func(q *db.ApplicationQuery) { q.WithProject() }).WithVersion().WithRequester().Only(sys)
	if err != nil {
		return err
	}
	owners, err := ownersOf(sys, tx, w.ApplicationID)
	if err != nil {
		return err
	}
	return s.log.Append(sys, tx, tell(w, owners))
}

// ownersOf are who answers for an application now, by reference.
func ownersOf(sys context.Context, tx *db.Client, application int) ([]*db.Owner, error) {
	rows, err := tx.Ownership.Query().Where(ownership.ApplicationID(application), ownership.UntilIsNil()).WithOwner().All(sys)
	if err != nil {
		return nil, fmt.Errorf("load owners: %w", err)
	}
	list := make([]*db.Owner, len(rows))
	for i, row := range rows {
		list[i] = row.Edges.Owner
	}
	slices.SortFunc(list, func(a, b *db.Owner) int { return strings.Compare(a.Ref, b.Ref) })
	return list, nil
}

func expired(w *db.Waiver, owners []*db.Owner) activity.Event {
	e := happened(w, activity.WaiverExpired, "expired")
	e.Changes = append(addressed(w, owners), activity.Added("expiredAt", activity.Text(instant(w.ExpiresAt))))
	return e
}

func expiring(w *db.Waiver, owners []*db.Owner) activity.Event {
	e := happened(w, activity.WaiverExpiring, "expires at "+instant(w.ExpiresAt))
	e.Changes = append(addressed(w, owners), activity.Added("expiresAt", activity.Text(instant(w.ExpiresAt))))
	return e
}

// addressed names those whom an event concerns: the owners, and who asked for the waiver.
func addressed(w *db.Waiver, owners []*db.Owner) []activity.Change {
	changes := []activity.Change{activity.Added("requestedBy", activity.Person(w.Edges.Requester.Name))}
	for _, o := range owners {
		to := activity.Text(o.Ref)
		if strings.HasPrefix(o.Ref, "user:") {
			to = activity.Person(o.Ref)
		}
		changes = append(changes, activity.Added("owner", to))
	}
	return changes
}
