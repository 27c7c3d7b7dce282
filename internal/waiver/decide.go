package waiver

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/ent/db/waiverdecision"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Decide says yes or no to a waiver. Who asked for it cannot, and nobody can twice. One no rejects it; it is approved once as
// many have said yes as it needs. Until then, each yes is an event of its own.
func (s *Service) Decide(ctx context.Context, in DecideWaiverInput) (*db.Waiver, error) {
	row, err := rowOf(in.ID)
	if err != nil {
		return nil, err
	}
	comment := ""
	if in.Comment != nil {
		comment = *in.Comment
	}
	if err := check.Text("input.comment", comment, 0, maxComment); err != nil {
		return nil, err
	}
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		w, err := s.hold(ctx, tx, row)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "decideWaiver", w.ProjectID)
		if err != nil {
			return err
		}
		if actor.ID == w.RequestedBy {
			return fault.New(fault.Forbidden, "who asks for a waiver cannot decide on it: let somebody else")
		}
		if err := s.mustBe(w, entwaiver.StatePENDING, "decided"); err != nil {
			return err
		}
		return s.decide(ctx, tx, w, actor.ID, in.Approve, comment)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Waiver.Get(ctx, row)
}

// decide writes what somebody said, and what became of the waiver by it.
func (s *Service) decide(ctx context.Context, tx *db.Client, w *db.Waiver, by int, approve bool, comment string) error {
	now := s.now()
	yes := 0
	said, err := tx.WaiverDecision.Query().Where(waiverdecision.WaiverID(w.ID)).All(ctx)
	if err != nil {
		return fmt.Errorf("load decisions on waiver %d: %w", w.ID, err)
	}
	for _, d := range said {
		if d.DecidedBy == by {
			f := fault.New(fault.Conflict, "you have decided on it already: it takes %d of different people", w.ApprovalsNeeded)
			f.Path = "input.id"
			return f
		}
		if d.Approved {
			yes++
		}
	}
	err = tx.WaiverDecision.Create().SetWaiverID(w.ID).SetDecidedBy(by).SetApproved(approve).SetComment(comment).SetAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("write decision on waiver %d: %w", w.ID, err)
	}
	if approve {
		yes++
	}
	state, typ, did := entwaiver.StateAPPROVED, activity.WaiverApproved, "was approved"
	switch {
	case !approve:
		state, typ, did = entwaiver.StateREJECTED, activity.WaiverRejected, "was rejected"
	case yes < w.ApprovalsNeeded:
		state, did = entwaiver.StatePENDING, fmt.Sprintf("has %d of the %d approvals that it needs", yes, w.ApprovalsNeeded)
	}
	if state != entwaiver.StatePENDING {
		if err := tx.Waiver.UpdateOneID(w.ID).SetState(state).SetDecidedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("decide on waiver %d: %w", w.ID, err)
		}
	}
	e := happened(w, typ, did)
	e.Changes = []activity.Change{
		activity.Added("approvals", activity.Text(strconv.Itoa(yes)+" of "+strconv.Itoa(w.ApprovalsNeeded))),
		activity.Added("requestedBy", activity.Person(w.Edges.Requester.Name)),
	}
	if state != entwaiver.StatePENDING {
		e.Changes = append(e.Changes, activity.Changed("state", string(entwaiver.StatePENDING), string(state)))
	}
	if comment != "" {
		e.Changes = append(e.Changes, activity.Added("comment", activity.Text(comment)))
	}
	return s.log.Append(ctx, tx, e)
}

// hold loads a waiver to change it: until the transaction ends, nobody else can.
func (s *Service) hold(ctx context.Context, tx *db.Client, row int) (*db.Waiver, error) {
	w, err := tx.Waiver.Query().Where(entwaiver.ID(row), oneByOne).
		WithApplication(func(q *db.ApplicationQuery) { q.WithProject() }).WithVersion().WithRequester().Only(ctx)
	if db.IsNotFound(err) {
		return nil, missing("input.id", "there is no such waiver")
	}
	if err != nil {
		return nil, fmt.Errorf("load waiver %d: %w", row, err)
	}
	return w, nil
}

// mustBe refuses a waiver that does not stand as it must, and says how it does.
func (s *Service) mustBe(w *db.Waiver, state entwaiver.State, to string) error {
	is := s.StateOf(w)
	if is == string(state) {
		return nil
	}
	f := fault.New(fault.FailedPrecondition, "it is %s: only one that is %s can be %s", is, state, to).With("state", is)
	f.Path = "input.id"
	return f
}

// happened is what is told of a waiver, whatever it is.
func happened(w *db.Waiver, typ activity.Type, did string) activity.Event {
	app := w.Edges.Application
	e := activity.Event{Type: typ, Project: app.Edges.Project, Application: app.Key, Subject: app.Key}
	if w.Edges.Version != nil {
		e.Subject += "@" + w.Edges.Version.Version
	}
	e.Summary = fmt.Sprintf("the waiver of %s for %s %s", about(w.Policy, w.Rule), e.Subject, did)
	return e
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
