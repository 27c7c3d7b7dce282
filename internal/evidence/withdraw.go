package evidence

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencewithdrawal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// maxReason is how long the reason of a withdrawal may be, in characters.
const maxReason = 1000

// WithdrawEvidenceInput says which piece of evidence ceases to count.
type WithdrawEvidenceInput struct {
	// Evidence is its global id.
	Evidence string
	Reason   string
}

// Withdraw ends that a piece of evidence counts, and makes the trusted releases that rest on it SUSPECT, in one transaction.
// It returns the evidence and how many releases these are. Admins of the organisation and of the evidence's project may, and
// whoever pushed it. What was withdrawn stays so: a second time is a FAILED_PRECONDITION.
func (s *Service) Withdraw(ctx context.Context, in WithdrawEvidenceInput) (*db.Evidence, int, error) {
	if err := check.Text("input.reason", in.Reason, 1, maxReason); err != nil {
		return nil, 0, err
	}
	row, err := s.toWithdraw(ctx, in.Evidence)
	if err != nil {
		return nil, 0, err
	}
	by, err := s.mayWithdraw(ctx, row)
	if err != nil {
		return nil, 0, err
	}
	suspected := 0
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := s.takeBack(ctx, tx); err != nil {
			return err
		}
		err := tx.EvidenceWithdrawal.Create().SetEvidenceID(row.ID).SetReason(in.Reason).SetWithdrawnBy(by.ID).SetAt(s.now().UTC()).Exec(ctx)
		if err != nil {
			return fmt.Errorf("write withdrawal of evidence: %w", err)
		}
		if err := s.log.Append(ctx, tx, withdrawn(row, in.Reason)); err != nil {
			return err
		}
		suspected, err = s.suspect(ctx, tx, restingOn(row.ID), signing.Reason{
			Status:  signing.Status{Cause: signing.EvidenceWithdrawn, Evidence: []string{row.Digest}},
			Summary: "is suspect: evidence that it rests on was withdrawn",
			Changes: []activity.Change{activity.Added("evidence", activity.Text(row.Digest))},
		})
		if err != nil {
			return err
		}
		return s.matcher.takenBack(ctx, tx, row)
	})
	if store.IsUnique(err) {
		return nil, 0, alreadyWithdrawn()
	}
	if err != nil {
		return nil, 0, err
	}
	if row, err = s.store.Read().Evidence.Get(ctx, row.ID); err != nil {
		return nil, 0, fmt.Errorf("load evidence: %w", err)
	}
	return row, suspected, nil
}

// toWithdraw finds the evidence; what whoever asks does not see is not there.
func (s *Service) toWithdraw(ctx context.Context, global string) (*db.Evidence, error) {
	typ, n, err := id.ParseGlobal(global)
	if err != nil || typ != "Evidence" {
		return nil, fault.At("input.evidence", "not the id of a piece of evidence")
	}
	row, err := s.store.Read().Evidence.Query().Where(evidence.ID(n)).WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, &fault.Error{Kind: fault.NotFound, Path: "input.evidence", Message: "there is no such evidence"}
	}
	if err != nil {
		return nil, fmt.Errorf("load evidence: %w", err)
	}
	return row, nil
}

// mayWithdraw refuses who neither is an admin nor pushed it. That it is withdrawn already stands in it for everyone to read,
// so whoever may withdraw something there is told first.
func (s *Service) mayWithdraw(ctx context.Context, row *db.Evidence) (auth.Principal, error) {
	where := auth.Organisation
	if row.ProjectID != nil {
		where = *row.ProjectID
	}
	p, err := auth.Allow(ctx, "withdrawEvidence", where)
	if err != nil {
		return p, err
	}
	again, err := s.store.Read().EvidenceWithdrawal.Query().Where(evidencewithdrawal.EvidenceID(row.ID)).Exist(auth.System(ctx))
	if err != nil {
		return p, fmt.Errorf("look for a withdrawal: %w", err)
	}
	if again {
		return p, alreadyWithdrawn()
	}
	if row.CreatedBy != p.ID && !p.Holds(where, auth.ProjectAdmin, auth.OrganisationAdmin) {
		return p, fault.New(fault.Forbidden, "somebody else pushed this evidence: they may withdraw it, or an admin of its project or of the organisation")
	}
	return p, nil
}

func alreadyWithdrawn() error {
	return &fault.Error{Kind: fault.FailedPrecondition, Path: "input.evidence", Message: "this evidence is withdrawn already"}
}

func withdrawn(row *db.Evidence, reason string) activity.Event {
	return activity.Event{
		Type: activity.EvidenceWithdrawn, Project: row.Edges.Project, Subject: row.Digest,
		Summary: fmt.Sprintf("evidence of type %s was withdrawn", row.PredicateType),
		Changes: []activity.Change{activity.Added("reason", activity.Text(reason))},
	}
}

// WithdrawalsOf returns the withdrawals of pieces of evidence by their row numbers.
func (s *Service) WithdrawalsOf(ctx context.Context, ids []int) (map[int]*db.EvidenceWithdrawal, error) {
	rows, err := s.store.Read().EvidenceWithdrawal.Query().Where(evidencewithdrawal.EvidenceIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load withdrawals of evidence: %w", err)
	}
	found := make(map[int]*db.EvidenceWithdrawal, len(rows))
	for _, row := range rows {
		found[row.EvidenceID] = row
	}
	return found, nil
}
