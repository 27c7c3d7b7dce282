package waiver

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Cancel takes a request back that was not decided yet. Only who asked can.
func (s *Service) Cancel(ctx context.Context, in CancelWaiverInput) (*db.Waiver, error) {
	row, err := rowOf(in.ID)
	if err != nil {
		return nil, err
	}
	return s.end(ctx, row, ending{
		verb: "cancelWaiver", from: entwaiver.StatePENDING, to: entwaiver.StateCANCELLED, did: "cancelled", event: activity.WaiverCancelled,
		may: func(w *db.Waiver, actor auth.Principal) error {
			if actor.ID != w.RequestedBy {
				return fault.New(fault.Forbidden, "only who asked for a waiver can take the request back; whoever decides can reject it")
			}
			return nil
		},
	})
}

// Revoke ends an approved waiver before it expires. Decisions that it counted in stay as they are.
func (s *Service) Revoke(ctx context.Context, in RevokeWaiverInput) (*db.Waiver, error) {
	row, err := rowOf(in.ID)
	if err != nil {
		return nil, err
	}
	if err := check.Justification("input.reason", in.Reason); err != nil {
		return nil, err
	}
	return s.end(ctx, row, ending{
		verb: "revokeWaiver", from: entwaiver.StateAPPROVED, to: entwaiver.StateREVOKED, did: "revoked", event: activity.WaiverRevoked, reason: in.Reason,
		may: func(*db.Waiver, auth.Principal) error { return nil },
	})
}

// ending is one way for a waiver to end before its time.
type ending struct {
	verb, did, reason string
	from, to          entwaiver.State
	event             activity.Type
	may               func(*db.Waiver, auth.Principal) error
}

func (s *Service) end(ctx context.Context, row int, how ending) (*db.Waiver, error) {
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		w, err := s.hold(ctx, tx, row)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, how.verb, w.ProjectID)
		if err != nil {
			return err
		}
		if err := s.mustBe(w, how.from, how.did); err != nil {
			return err
		}
		if err := how.may(w, actor); err != nil {
			return err
		}
		err = tx.Waiver.UpdateOneID(w.ID).SetState(how.to).SetEndedAt(s.now()).SetEndedBy(actor.ID).SetEndReason(how.reason).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end waiver %d: %w", w.ID, err)
		}
		e := happened(w, how.event, "was "+how.did)
		e.Changes = []activity.Change{
			activity.Changed("state", string(how.from), string(how.to)),
			activity.Added("requestedBy", activity.Person(w.Edges.Requester.Name)),
		}
		if how.reason != "" {
			e.Changes = append(e.Changes, activity.Added("reason", activity.Text(how.reason)))
		}
		return s.log.Append(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Waiver.Get(ctx, row)
}
