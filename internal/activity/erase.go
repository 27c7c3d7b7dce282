package activity

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// Erase deletes, in the caller's transaction, what opens the commitments to names, and returns how many events named
// them. The leaves stay as they are, and so does every proof: without its salt nobody can tell whom a commitment is to.
func (l *Log) Erase(ctx context.Context, tx *db.Client, names ...string) (events int, err error) {
	sys, named := auth.System(ctx), activityopening.NameIn(names...)
	events, err = tx.ActivityEvent.Query().Where(activityevent.HasOpeningsWith(named)).Count(sys)
	if err != nil {
		return 0, fmt.Errorf("count events that name somebody: %w", err)
	}
	if _, err := tx.ActivityOpening.Delete().Where(named).Exec(sys); err != nil {
		return 0, fmt.Errorf("delete openings: %w", err)
	}
	return events, nil
}

// EraseLate does what Erase does once more, after whoever was writing events when the names were erased has finished. It
// begins a transaction of its own.
func (l *Log) EraseLate(ctx context.Context, names ...string) (events int, err error) {
	err = l.store.InTx(ctx, func(tx *db.Client) (err error) {
		if l.store.Dialect() == dialect.Postgres {
			if _, err := tx.ExecContext(ctx, "LOCK TABLE "+activityevent.Table+" IN SHARE MODE"); err != nil {
				return fmt.Errorf("wait for events that are being written: %w", err)
			}
		}
		events, err = l.Erase(ctx, tx, names...)
		return err
	})
	return events, err
}

// stillKnown tells, by their rows, which actors of events are called as when they came in. A person may be erased while
// something runs that they asked for: their name must not come back with its event. To be asked after the events are
// written, so that EraseLate waits for whoever was told yes.
func stillKnown(ctx context.Context, tx *db.Client, entries []Entry) (map[int]bool, error) {
	known := map[int]bool{}
	for _, e := range entries {
		if _, asked := known[e.actor.ID]; asked {
			continue
		}
		known[e.actor.ID] = true
		if !e.actor.Person {
			continue
		}
		still, err := tx.Principal.Query().Where(principal.ID(e.actor.ID), principal.Name(e.actor.Name)).Exist(auth.System(ctx))
		if err != nil {
			return nil, fmt.Errorf("look whether principal %d was erased: %w", e.actor.ID, err)
		}
		known[e.actor.ID] = still
	}
	return known, nil
}
