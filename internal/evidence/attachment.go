package evidence

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/attachment"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// AttachmentsOf returns the attachments of each of the pieces of evidence, by name.
func (s *Service) AttachmentsOf(ctx context.Context, evidenceIDs []int) (map[int][]*db.Attachment, error) {
	found, err := s.store.Read().Attachment.Query().Where(attachment.EvidenceIDIn(evidenceIDs...)).
		Order(attachment.ByName(), attachment.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load attachments: %w", err)
	}
	of := make(map[int][]*db.Attachment, len(evidenceIDs))
	for _, a := range found {
		of[a.EvidenceID] = append(of[a.EvidenceID], a)
	}
	return of, nil
}

// missing gives those of the files that the evidence does not have yet, each once, and refuses when they would be too many.
func (s *Service) missing(ctx context.Context, client *db.Client, evidenceID int, files []stagedFile) ([]stagedFile, error) {
	type key struct{ name, digest string }
	seen := map[key]bool{}
	there := 0
	if evidenceID != 0 {
		// The evidence is of a realm that the pusher may push to, so there is nothing to narrow.
		rows, err := client.Attachment.Query().Where(attachment.EvidenceID(evidenceID)).All(auth.System(ctx))
		if err != nil {
			return nil, fmt.Errorf("load attachments: %w", err)
		}
		for _, a := range rows {
			seen[key{a.Name, a.Digest}] = true
		}
		there = len(rows)
	}
	fresh := slices.DeleteFunc(slices.Clone(files), func(f stagedFile) bool {
		k := key{f.name, f.staged.Digest}
		again := seen[k]
		seen[k] = true
		return again
	})
	if there+len(fresh) > MaxAttached {
		return nil, fault.New(fault.FailedPrecondition, "this evidence has %d attachments, and may have %d: attach the files to other evidence", there, MaxAttached)
	}
	return fresh, nil
}

// attachMissing adds the files that known evidence does not have, with an event when there are any.
func (s *Service) attachMissing(ctx context.Context, tx *db.Client, evidenceID int, e entry) error {
	fresh, err := s.missing(ctx, tx, evidenceID, e.attachments)
	if err != nil {
		return err
	}
	e.attachments = fresh
	if e.attachments, err = s.recordAttachments(ctx, tx, evidenceID, e); err != nil || len(e.attachments) == 0 {
		return err
	}
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.EvidenceAttached, Project: e.home.project, Subject: e.digest, Changes: attached(e),
		Summary: fmt.Sprintf("%d files were attached to evidence of type %s", len(e.attachments), e.predicateType),
	})
}

// recordAttachments writes the rows of an entry's attachments, and gives those that are new.
func (s *Service) recordAttachments(ctx context.Context, tx *db.Client, evidenceID int, e entry) ([]stagedFile, error) {
	var written []stagedFile
	for _, a := range e.attachments {
		_, err := tx.Attachment.Create().
			SetEvidenceID(evidenceID).SetName(a.name).SetDigest(a.staged.Digest).SetMediaType(a.mediaType).SetSize(int(a.staged.Size)).
			SetCreatedBy(e.pusher.ID).SetCreatedAt(e.at).
			OnConflictColumns(attachment.FieldEvidenceID, attachment.FieldName, attachment.FieldDigest).DoNothing().ID(ctx)
		if errors.Is(err, stdsql.ErrNoRows) {
			continue // the same file twice, or written by somebody else meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("write attachment: %w", err)
		}
		written = append(written, a)
	}
	return written, nil
}

// attached tells the log of attachments: names, and the digests that hold the bytes to them.
func attached(e entry) []activity.Change {
	changes := make([]activity.Change, len(e.attachments))
	for i, a := range e.attachments {
		changes[i] = activity.Added(fmt.Sprintf("attachments.%d", i), activity.Text(a.staged.Digest+" "+a.name))
	}
	return changes
}
