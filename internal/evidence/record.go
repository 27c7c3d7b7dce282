package evidence

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Rows a statement. SQLite takes 32,766 variables, and no table here needs more than four a row.
const rowsPerStatement = 2000

// record writes an entry with all that belongs to it, and its event. It returns 0 and writes nothing that is not there
// already when the same evidence is: another transaction may have been faster.
//
// Every transaction takes its rows in the same order (SBOM, components by identity, evidence, bytes), so that on Postgres
// two that share some wait for each other one way only.
func (s *Service) record(ctx context.Context, tx *db.Client, e entry) (int, error) {
	create := tx.Evidence.Create().
		SetDigest(e.digest).SetSignerKey(e.signerKey).SetRealm(e.home.realm()).
		SetRawDigest(canonical.Digest(e.raw)).SetMediaType(e.mediaType).SetSize(len(e.raw)).
		SetPredicateType(e.predicateType).SetCategory(categoryOf(e.predicateType)).
		SetView(e.view).SetVerified(e.verified).SetVerification(e.reason).SetProvider(e.provider).
		SetNillableStageID(e.stageID).SetCreatedBy(e.pusher.ID).SetCreatedAt(e.at)
	if e.anchor != nil {
		create.SetAnchorID(e.anchor.ID)
	}
	if e.home.project != nil {
		create.SetProjectID(e.home.project.ID)
	}
	if e.bill != nil {
		id, err := e.bill.record(auth.System(ctx), tx, s.store.Dialect(), e.at)
		if err != nil {
			return 0, err
		}
		create.SetSbomID(id)
	}
	id, err := create.OnConflictColumns(evidence.FieldDigest, evidence.FieldSignerKey, evidence.FieldRealm).DoNothing().ID(ctx)
	if errors.Is(err, stdsql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("write evidence: %w", err)
	}
	if _, err := store.PutBlob(ctx, tx, e.raw); err != nil {
		return 0, err
	}
	if err := s.recordSubjects(ctx, tx, id, e.subjects); err != nil {
		return 0, err
	}
	return id, s.log.Append(ctx, tx, submitted(e))
}

// recordSubjects writes plain statements, because a statement may speak of thousands: see recordComponents.
func (s *Service) recordSubjects(ctx context.Context, tx *db.Client, evidenceID int, subjects []subject) error {
	for batch := range slices.Chunk(subjects, rowsPerStatement) {
		insert := sql.Dialect(s.store.Dialect()).Insert(evidencesubject.Table).
			Columns(evidencesubject.FieldEvidenceID, evidencesubject.FieldName, evidencesubject.FieldDigest, evidencesubject.FieldPurl)
		for _, one := range batch {
			insert.Values(evidenceID, one.name, one.digest, known(one.purl))
		}
		query, args := insert.Query()
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("write subjects of evidence: %w", err)
		}
	}
	return nil
}

// submitted tells the log of new evidence. The subjects that do not stand in it are in the statement, whose digest does.
func submitted(e entry) activity.Event {
	const shown = 5
	judged, signer := "unverified", activity.Text(e.signerKey)
	if e.verified {
		judged, signer = "verified", activity.Text(e.anchor.Alias)
	}
	changes := []activity.Change{
		activity.Added("digest", activity.Text(e.digest)),
		activity.Added("predicateType", activity.Text(e.predicateType)),
		activity.Added("verified", activity.Text(fmt.Sprint(e.verified))),
		activity.Added("verification", activity.Text(e.reason)),
	}
	if e.signed() {
		changes = append(changes, activity.Added("signer", signer))
	}
	var digests []string
	for _, s := range e.subjects[:min(shown, len(e.subjects))] {
		digests = append(digests, s.digest)
	}
	if more := len(e.subjects) - shown; more > 0 {
		digests = append(digests, fmt.Sprintf("and %d more", more))
	}
	changes = append(changes, activity.Added("subjects", activity.Text(strings.Join(digests, " "))))
	return activity.Event{
		Type: activity.EvidenceSubmitted, Project: e.home.project, Subject: e.digest, Changes: changes,
		Summary: fmt.Sprintf("%s evidence of type %s was submitted", judged, e.predicateType),
	}
}

// known is nil for an empty text.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
