package version

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// DeleteDraft deletes a draft and returns what it was called. A version that is signed for, or that somebody tried to
// promote, has a record that stays: it can only be archived.
func (s *Service) DeleteDraft(ctx context.Context, in DeleteDraftVersionInput) (string, error) {
	return in.Version, s.store.InTx(ctx, func(tx *db.Client) error {
		v, err := forWriting(ctx, tx, "deleteDraftVersion", in.ApplicationKey, in.Version)
		if err != nil {
			return err
		}
		if v.Status != applicationversion.StatusDRAFT {
			return undeletable(v, "is locked and signed for")
		}
		tried, err := tx.Promotion.Query().Where(promotion.VersionID(v.ID)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load attempts to promote version %d: %w", v.ID, err)
		}
		if tried {
			return undeletable(v, "was asked to be promoted, which is on record")
		}
		if err := clearContents(ctx, tx, v.ID); err != nil {
			return err
		}
		if err := tx.ApplicationVersion.DeleteOneID(v.ID).Exec(ctx); err != nil {
			return fmt.Errorf("delete draft %d: %w", v.ID, err)
		}
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.VersionDeleted, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: nameOf(v),
			Summary: fmt.Sprintf("draft %s of %s was deleted", v.Version, v.Edges.Application.Key),
			Changes: []activity.Change{activity.Removed("manifestDigest", activity.Text(v.ManifestDigest))},
		})
	})
}

func undeletable(v *db.ApplicationVersion, because string) error {
	return fault.New(fault.FailedPrecondition, "version %s of %s %s: it cannot be deleted; archive it with archiveApplicationVersion", v.Version, v.Edges.Application.Key, because).
		With("path", "input.version")
}

// Archive archives a version, or brings it back. One that is so already stays as it is.
func (s *Service) Archive(ctx context.Context, in ArchiveApplicationVersionInput) (*db.ApplicationVersion, error) {
	var id int
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		v, err := forWriting(ctx, tx, "archiveApplicationVersion", in.ApplicationKey, in.Version)
		if err != nil {
			return err
		}
		id = v.ID
		if in.Archived == (v.ArchivedAt != nil) {
			return nil
		}
		update, did := v.Update().ClearArchivedAt(), "brought back"
		if in.Archived {
			update, did = v.Update().SetArchivedAt(s.now().UTC()), "archived"
		}
		if err := update.Exec(ctx); err != nil {
			return fmt.Errorf("archive version %d: %w", v.ID, err)
		}
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.VersionArchived, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: nameOf(v),
			Summary: fmt.Sprintf("version %s of %s was %s", v.Version, v.Edges.Application.Key, did),
			Changes: []activity.Change{activity.Changed("archived", fmt.Sprint(!in.Archived), fmt.Sprint(in.Archived))},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Get(ctx, id)
}
