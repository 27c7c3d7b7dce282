package release

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Rollback takes back the latest promotion of a version that moved it and was not taken back yet, by a record of its own:
// nothing is removed. Taking back a trusted release withdraws its trust with a signed statement.
func (s *Service) Rollback(ctx context.Context, in RollbackApplicationVersionInput) (*Result, error) {
	if err := check.Text("input.reason", in.Reason, 1, 2000); err != nil {
		return nil, err
	}
	v, actor, err := s.find(ctx, "rollbackApplicationVersion", in.ApplicationKey, in.Version)
	if err != nil {
		return nil, err
	}
	from := v.Edges.CurrentStage
	if from == nil {
		return nil, fault.New(fault.FailedPrecondition, "version %s of %s is in no stage: there is nothing to take back", in.Version, in.ApplicationKey)
	}
	if from.Name != in.FromStage {
		return nil, moved(in.ApplicationKey, in.Version, from)
	}
	undone, err := s.latestMove(ctx, v)
	if err != nil {
		return nil, err
	}
	m := &move{kind: promotion.KindROLLBACK, version: v, to: undone.Edges.FromStage, actor: actor, comment: in.Reason}
	statements, err := s.signStatus(ctx, m)
	if err != nil {
		return nil, err
	}
	p, err := s.recordRollback(ctx, m, undone, statements)
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, p)
}

// latestMove finds the promotion to take back.
func (s *Service) latestMove(ctx context.Context, v *db.ApplicationVersion) (*db.Promotion, error) {
	p, err := s.store.Read().Promotion.Query().Where(
		promotion.VersionID(v.ID), promotion.StatusEQ(promotion.StatusCOMPLETED), promotion.KindNEQ(promotion.KindROLLBACK),
		promotion.Not(promotion.HasUndoneBy()),
	).WithFromStage().Order(db.Desc(promotion.FieldID)).First(ctx)
	if db.IsNotFound(err) { // it was taken back since the version was read
		if conflict := s.unmoved(ctx, s.store.Read(), v); conflict != nil {
			return nil, conflict
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load latest move of version %d: %w", v.ID, err)
	}
	return p, nil
}

// signStatus signs that a trusted release is one no more. A version that was not trusted needs no such statement.
func (s *Service) signStatus(ctx context.Context, m *move) ([]signing.Signed, error) {
	if m.version.Trust != applicationversion.TrustTRUSTED_RELEASE {
		return nil, nil
	}
	contents, err := s.contents(ctx, m.version)
	if err != nil {
		return nil, err
	}
	signed, err := s.signing.SignStatus(ctx, m.version, contents, signing.Status{
		Standing: applicationversion.StandingWITHDRAWN, Cause: signing.Rollback, Since: s.now(),
	})
	return []signing.Signed{signed}, err
}

func (s *Service) recordRollback(ctx context.Context, m *move, undone *db.Promotion, statements []signing.Signed) (*db.Promotion, error) {
	v := m.version
	var p *db.Promotion
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		err := s.claim(ctx, tx, v, func(u *db.ApplicationVersionUpdate) {
			u.SetTrust(applicationversion.TrustPRE_RELEASE)
			if m.to == nil {
				u.ClearStageID()
			} else {
				u.SetStageID(m.to.ID)
			}
			if v.Trust == applicationversion.TrustTRUSTED_RELEASE {
				u.SetStanding(applicationversion.StandingWITHDRAWN)
			}
		})
		if err != nil {
			return err
		}
		create := tx.Promotion.Create().SetKind(m.kind).SetStatus(promotion.StatusCOMPLETED).SetComment(m.comment).
			SetAt(s.now().UTC()).SetProjectID(v.ProjectID).SetVersionID(v.ID).SetFromStageID(*v.StageID).
			SetActorID(m.actor.ID).SetUndoesID(undone.ID)
		if m.to != nil {
			create.SetToStageID(m.to.ID)
		}
		if p, err = create.Save(ctx); err != nil {
			return fmt.Errorf("write rollback: %w", err)
		}
		if err := s.signing.Record(ctx, tx, v, p, statements...); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, tookBack(m, statements))
	})
	if store.IsUnique(err) {
		return nil, fault.New(fault.Conflict, "this promotion was taken back meanwhile")
	}
	return p, err
}

func tookBack(m *move, statements []signing.Signed) activity.Event {
	v := m.version
	name := v.Edges.Application.Key + "@" + v.Version
	e := activity.Event{
		Type: activity.VersionRolledBack, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: name,
		Summary: fmt.Sprintf("%s was taken back from %s", name, v.Edges.CurrentStage.Name),
	}
	stage := activity.Removed("stage", activity.Text(v.Edges.CurrentStage.Name))
	if m.to != nil {
		stage.To = activity.Text(m.to.Name)
	}
	e.Changes = append(e.Changes, stage)
	if v.Trust != applicationversion.TrustPRE_RELEASE {
		e.Changes = append(e.Changes, activity.Changed("trust", string(v.Trust), string(applicationversion.TrustPRE_RELEASE)))
	}
	e.Changes = append(e.Changes, signing.Changes(statements)...)
	return e
}
