package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
)

// ArchiveApplication archives an application, or brings it back. One that is so already stays as it is.
func (s *Service) ArchiveApplication(ctx context.Context, in ArchiveApplicationInput) (*db.Application, error) {
	if err := check.Key("input.key", in.Key); err != nil {
		return nil, err
	}
	var a *db.Application
	err := s.write(ctx, func(tx *db.Client) (err error) {
		if a, err = applicationForWriting(ctx, tx, "input.key", in.Key); err != nil {
			return err
		}
		if _, err := auth.Allow(ctx, "archiveApplication", a.ProjectID); err != nil {
			return err
		}
		if in.Archived == (a.ArchivedAt != nil) {
			return nil
		}
		return s.archive(ctx, tx, a, in.Archived)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Application.Get(ctx, a.ID)
}

func (s *Service) archive(ctx context.Context, tx *db.Client, a *db.Application, archived bool) error {
	update, did := a.Update().ClearArchivedAt(), "brought back"
	if archived {
		update, did = a.Update().SetArchivedAt(s.now()), "archived"
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("archive application %s: %w", a.Key, err)
	}
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.ApplicationUpdated, Project: a.Edges.Project, Application: a.Key, Subject: a.Key,
		Summary: fmt.Sprintf("Application %s was %s.", a.Key, did),
		Changes: []activity.Change{activity.Changed("archived", fmt.Sprint(!archived), fmt.Sprint(archived))},
	})
}
