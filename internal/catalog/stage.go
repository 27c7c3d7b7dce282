package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// organisationRealm is what the names of the organisation's stages are unique in; no project has this key.
const organisationRealm = ""

// CreateStageInput is a stage to make; without ProjectKey it is the organisation's.
type CreateStageInput struct {
	ProjectKey *string
	Name       string
	Category   stage.Category
	Production bool
}

// CreateStage makes a stage. It fails with CONFLICT when the project, or the organisation, has one of this name.
func (s *Service) CreateStage(ctx context.Context, in CreateStageInput) (*db.Stage, error) {
	if in.ProjectKey != nil {
		if err := check.Key("input.projectKey", *in.ProjectKey); err != nil {
			return nil, err
		}
	}
	if err := check.Name("input.name", in.Name); err != nil {
		return nil, err
	}
	if stage.CategoryValidator(in.Category) != nil {
		return nil, fault.At("input.category", "a stage's category is CODE, PROMOTE or RELEASE; give one of them")
	}
	var st *db.Stage
	err := s.write(ctx, func(tx *db.Client) (err error) {
		st, err = s.createStage(ctx, tx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Stage.Get(ctx, st.ID)
}

func (s *Service) createStage(ctx context.Context, tx *db.Client, in CreateStageInput) (*db.Stage, error) {
	var (
		p            *db.Project
		realm, whose = organisationRealm, "the organisation"
		projectID    = auth.Organisation
		err          error
	)
	if in.ProjectKey != nil {
		if p, err = projectForWriting(ctx, tx, *in.ProjectKey, hold); err != nil {
			return nil, err
		}
		realm, whose, projectID = p.Key, "project "+p.Key, p.ID
	}
	if _, err := auth.Allow(ctx, "createStage", projectID); err != nil {
		return nil, err
	}
	exists, err := tx.Stage.Query().Where(stage.Realm(realm), stage.Name(in.Name)).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for stage %s: %w", in.Name, err)
	}
	if exists {
		return nil, taken("input.name", "there is a stage %q of %s already; choose another name", in.Name, whose)
	}
	create := tx.Stage.Create().SetName(in.Name).SetCategory(in.Category).SetProduction(in.Production).
		SetRealm(realm).SetCreatedAt(s.now())
	if p != nil {
		create.SetProjectID(p.ID)
	}
	st, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write stage %s: %w", in.Name, err)
	}
	return st, s.log.Append(ctx, tx, activity.Event{
		Type: activity.StageCreated, Project: p, Subject: st.Name,
		Summary: fmt.Sprintf("Stage %s of %s was made.", st.Name, whose),
		Changes: []activity.Change{
			activity.Added("category", activity.Text(string(st.Category))),
			activity.Added("production", activity.Text(fmt.Sprint(st.Production))),
		},
	})
}

// StagesOf returns the stages of a project and those of the organisation, oldest first.
func (s *Service) StagesOf(ctx context.Context, projectID int) ([]*db.Stage, error) {
	stages, err := s.store.Read().Stage.Query().
		Where(stage.Or(stage.ProjectID(projectID), stage.ProjectIDIsNil())).
		Order(stage.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load stages: %w", err)
	}
	return stages, nil
}
