package evidence

import (
	"context"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencewithdrawal"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// countingLock is the number of the lock between those who take evidence back and those who record what was decided on it: of
// a release and a withdrawal at once, one sees the other. SQLite has one writer anyway.
const countingLock = 5_072_011

// Counting is how often evidence ceased to count, be it that it was withdrawn or that its signer was revoked. Client is the
// store's reader or a transaction.
func (s *Service) Counting(ctx context.Context, client *db.Client) (int, error) {
	// Who withdraws waits for who did before, so that rows become visible in their order.
	n, err := numbersOf(auth.System(ctx), client, "SELECT COALESCE((SELECT MAX(id) FROM evidence_withdrawals), 0) + (SELECT COUNT(revoked_at) FROM trust_anchors)")
	if err != nil {
		return 0, fmt.Errorf("look at what evidence counts: %w", err)
	}
	return n[0], nil
}

// HoldCounting keeps evidence from being taken back until the transaction ends. Others may hold it at the same time.
func (s *Service) HoldCounting(ctx context.Context, tx *db.Client) error {
	return s.lockCounting(ctx, tx, "pg_advisory_xact_lock_shared")
}

// takeBack is called in a transaction that takes evidence back, before it changes anything: until it ends, nobody else records
// what was decided on evidence, or changes what trusted releases are worth but by rolling them back.
func (s *Service) takeBack(ctx context.Context, tx *db.Client) error {
	if err := s.matcher.hold(ctx, tx); err != nil {
		return err
	}
	return s.lockCounting(ctx, tx, "pg_advisory_xact_lock")
}

func (s *Service) lockCounting(ctx context.Context, tx *db.Client, function string) error {
	if s.store.Dialect() != dialect.Postgres {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "SELECT "+function+"("+strconv.Itoa(countingLock)+")"); err != nil {
		return fmt.Errorf("take turns on what evidence counts: %w", err)
	}
	return nil
}

// counts holds for evidence, given by the column of its id, that was not withdrawn.
func counts(column string) *sql.Predicate {
	gone := sql.Table(evidencewithdrawal.Table).As("gone")
	return sql.NotExists(sql.Select(gone.C(evidencewithdrawal.FieldID)).From(gone).
		Where(sql.ColumnsEQ(gone.C(evidencewithdrawal.FieldEvidenceID), column)))
}

// notWithdrawn matches the evidence that counts.
func notWithdrawn(s *sql.Selector) { s.Where(counts(s.C(evidence.FieldID))) }
