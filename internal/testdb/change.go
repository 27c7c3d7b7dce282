package testdb

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/store"
)

// MayChange takes away what keeps the rows of tables final, as somebody can who owns the database.
func MayChange(tb testing.TB, s *store.Store, tables ...string) {
	tb.Helper()
	err := s.InTx(context.Background(), func(tx *db.Client) error {
		for _, table := range tables {
			for _, trigger := range []string{table + "_never_updated", table + "_never_deleted"} {
				statement := "DROP TRIGGER " + trigger
				if s.Dialect() == dialect.Postgres {
					statement += " ON " + table
				}
				if _, err := tx.ExecContext(context.Background(), statement); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatalf("make rows changeable: %v", err)
	}
}
