package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// CreateProjectInput is a project to make.
type CreateProjectInput struct {
	Key    string
	Name   string
	Labels []*labels.Label
}

// CreateProject makes a project. It fails with CONFLICT when the key is taken.
func (s *Service) CreateProject(ctx context.Context, in CreateProjectInput) (*db.Project, error) {
	err := check.First(
		check.Key("input.key", in.Key),
		check.Name("input.name", in.Name),
		checkLabels("input.labels", in.Labels),
	)
	if err != nil {
		return nil, err
	}
	var p *db.Project
	err = s.write(ctx, func(tx *db.Client) error {
		if _, err := auth.Allow(ctx, "createProject", auth.Organisation); err != nil {
			return err
		}
		p, err = s.createProject(ctx, tx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Project.Get(ctx, p.ID)
}

func (s *Service) createProject(ctx context.Context, tx *db.Client, in CreateProjectInput) (*db.Project, error) {
	exists, err := tx.Project.Query().Where(project.Key(in.Key)).Exist(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for project %s: %w", in.Key, err)
	}
	if exists {
		return nil, taken("input.key", "the key %q is taken; choose another one", in.Key)
	}
	p, err := tx.Project.Create().SetKey(in.Key).SetName(in.Name).SetCreatedAt(s.now()).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write project %s: %w", in.Key, err)
	}
	labels := distinct(in.Labels)
	rows := make([]*db.LabelCreate, len(labels))
	for i, l := range labels {
		rows[i] = tx.Label.Create().SetProjectID(p.ID).SetKey(l.Key).SetValue(l.Value)
	}
	if err := tx.Label.CreateBulk(rows...).Exec(ctx); err != nil {
		return nil, fmt.Errorf("write labels of project %s: %w", in.Key, err)
	}
	changes := []activity.Change{activity.Added("name", activity.Text(in.Name))}
	for _, l := range labels {
		changes = append(changes, activity.Added("labels", labelText(l)))
	}
	return p, s.log.Append(ctx, tx, activity.Event{
		Type: activity.ProjectCreated, Project: p, Subject: p.Key, Changes: changes,
		Summary: fmt.Sprintf("Project %s was made.", p.Key),
	})
}

// Project returns the project with a key, or nil when there is none for whoever asks.
func (s *Service) Project(ctx context.Context, key string) (*db.Project, error) {
	p, err := s.store.Read().Project.Query().Where(project.Key(key)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return p, err
}

// Projects returns a page of the projects, oldest first.
func (s *Service) Projects(ctx context.Context, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.ProjectConnection, error) {
	return s.store.Read().Project.Query().Paginate(ctx, after, first, before, last)
}
