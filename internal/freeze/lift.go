package freeze

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	entfreeze "github.com/plimsoll/plimsoll/ent/db/freeze"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// Lift ends a freeze, or keeps one from beginning. One that is over cannot be lifted, nor one that was.
func (s *Service) Lift(ctx context.Context, in LiftFreezeInput) (*db.Freeze, error) {
	typ, row, err := id.ParseGlobal(in.ID)
	if err != nil || typ != "Freeze" {
		return nil, fault.At("input.id", "not the id of a freeze")
	}
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		f, err := tx.Freeze.Query().Where(entfreeze.ID(row)).WithProject().WithApplication().Only(ctx)
		if db.IsNotFound(err) {
			return missing("input.id", "there is no such freeze")
		}
		if err != nil {
			return fmt.Errorf("load freeze %d: %w", row, err)
		}
		where := auth.Organisation
		if f.ProjectID != nil {
			where = *f.ProjectID
		}
		actor, err := auth.Allow(ctx, "liftFreeze", where)
		if err != nil {
			return err
		}
		return s.lift(ctx, tx, f, actor.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Freeze.Get(ctx, row)
}

func (s *Service) lift(ctx context.Context, tx *db.Client, f *db.Freeze, by int) error {
	now := s.now()
	n, err := tx.Freeze.Update().Where(entfreeze.ID(f.ID), entfreeze.LiftedAtIsNil(), entfreeze.EndsAtGT(now)).
		SetLiftedAt(now).SetLiftedBy(by).Save(ctx)
	if err != nil {
		return fmt.Errorf("lift freeze %d: %w", f.ID, err)
	}
	if n == 0 {
		is, err := tx.Freeze.Get(ctx, f.ID)
		if err != nil {
			return fmt.Errorf("load freeze %d: %w", f.ID, err)
		}
		refusal := fault.New(fault.FailedPrecondition, "it is over since %s", instant(is.EndsAt)).With("endsAt", instant(is.EndsAt))
		if is.LiftedAt != nil {
			refusal = fault.New(fault.FailedPrecondition, "it was lifted at %s", instant(*is.LiftedAt)).With("liftedAt", instant(*is.LiftedAt))
		}
		refusal.Path = "input.id"
		return refusal
	}
	e := activity.Event{
		Type: activity.FreezeLifted, Project: f.Edges.Project,
		Changes: []activity.Change{activity.Changed("endsAt", instant(f.EndsAt), instant(now))},
	}
	said := ""
	switch {
	case f.Edges.Application != nil:
		e.Application, e.Subject = f.Edges.Application.Key, f.Edges.Application.Key
		said = "application " + e.Subject
	case f.Edges.Project != nil:
		e.Subject = f.Edges.Project.Key
		said = "project " + e.Subject
	default:
		e.Subject, said = ofLabel(labels.Label{Key: f.LabelKey, Value: f.LabelValue})
	}
	e.Summary = said + " may move again"
	return s.log.Append(ctx, tx, e)
}
