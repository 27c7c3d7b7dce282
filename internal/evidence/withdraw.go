package evidence

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/ent/db"
)

// WithdrawEvidenceInput says which piece of evidence ceases to count.
type WithdrawEvidenceInput struct {
	// Evidence is its global id.
	Evidence string
	Reason   string
}

// Withdraw ends that a piece of evidence counts, and makes the trusted releases that rest on it SUSPECT, in one transaction.
// It returns the evidence and how many releases these are.
func (s *Service) Withdraw(ctx context.Context, in WithdrawEvidenceInput) (*db.Evidence, int, error) {
	return nil, 0, errors.New("not written yet")
}

// WithdrawalsOf returns the withdrawals of pieces of evidence by their row numbers.
func (s *Service) WithdrawalsOf(ctx context.Context, ids []int) (map[int]*db.EvidenceWithdrawal, error) {
	return nil, errors.New("not written yet")
}
