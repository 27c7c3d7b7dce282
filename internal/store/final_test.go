package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule42_TheDatabaseRefusesToChangeFacts asks the triggers by name, and those of events, tiles and checkpoints by trying.
func TestRule42_TheDatabaseRefusesToChangeFacts(t *testing.T) {
	ctx := auth.System(context.Background())
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		query := "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = $1"
		if s.Dialect() == dialect.Postgres {
			query = "SELECT count(*) FROM pg_trigger WHERE tgname = $1 AND tgenabled = 'O'"
		}
		for _, table := range []string{"activity_events", "evaluations", "promotions", "evidence", "attestations", "log_tiles", "log_checkpoints"} {
			for _, what := range []string{"_never_updated", "_never_deleted"} {
				var n int
				if err := plainPool(t, dsn).QueryRow(query, table+what).Scan(&n); err != nil || n != 1 {
					t.Errorf("%s%s: %d triggers (%v)", table, what, n, err)
				}
			}
		}
		try := func(statement string) error {
			return s.InTx(ctx, func(tx *db.Client) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
		}
		fill(t, s)
		for _, statement := range []string{
			"UPDATE activity_events SET log_index = 0 WHERE subject = 'a'",
			"UPDATE log_tiles SET hashes = leaf_hash FROM activity_events WHERE subject = 'a'",
		} {
			if err := try(statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
		for _, statement := range []string{
			"UPDATE activity_events SET log_index = 1 WHERE subject = 'a'",
			"UPDATE activity_events SET log_index = NULL WHERE subject = 'a'",
			"UPDATE activity_events SET subject = 'c', log_index = 1 WHERE subject = 'b'",
			"UPDATE activity_events SET project_id = 7, log_index = 1 WHERE subject = 'b'",
			"UPDATE activity_events SET summary = 'c' WHERE subject = 'b'",
			"DELETE FROM activity_events WHERE subject = 'b'",
			"UPDATE log_tiles SET hashes = hashes",
			"UPDATE log_tiles SET hashes = leaf_hash FROM activity_events WHERE subject = 'a'",
			"UPDATE log_tiles SET hashes = leaf FROM activity_events WHERE subject = 'a'",
			"DELETE FROM log_tiles",
			"UPDATE log_checkpoints SET size = 2",
			"DELETE FROM log_checkpoints",
		} {
			if err := try(statement); err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

// fill writes two events, a tile and a checkpoint.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := auth.System(context.Background())
	hash := []byte(strings.Repeat("h", 32))
	err := s.InTx(ctx, func(tx *db.Client) error {
		for _, subject := range []string{"a", "b"} {
			err := tx.ActivityEvent.Create().SetAt(time.Now()).SetType("TOKEN_CREATED").SetCategory("ACCESS").SetResult("SUCCESS").
				SetSubject(subject).SetSummary("").SetLeaf([]byte(strings.Repeat("x", 128))).SetLeafHash([]byte(strings.Repeat("h", 64))).Exec(ctx)
			if err != nil {
				return err
			}
		}
		if err := tx.LogTile.Create().SetLevel(0).SetPosition(0).SetHashes(hash).Exec(ctx); err != nil {
			return err
		}
		return tx.LogCheckpoint.Create().SetSize(1).SetRoot(hash).SetNote("").SetCreatedAt(time.Now()).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}
