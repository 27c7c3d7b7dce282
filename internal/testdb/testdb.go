// Package testdb gives tests databases of their own, on SQLite and on Postgres, and reads how a database means to run a
// query. Only tests import it.
package testdb

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/plimsoll/plimsoll/internal/store"
)

// Each runs fn as two subtests, "sqlite" and "postgres", each with the DSN of an empty database of its own. Without a
// server the Postgres half fails, or under -short is left out.
func Each(t *testing.T, fn func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	if testing.Short() && os.Getenv(ServerVariable) == "" {
		return
	}
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite returns the DSN of a file that does not exist yet, in a folder that is removed after the test.
func SQLite(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "plimsoll.db")
}

// Open opens the store at dsn and closes it after the test.
func Open(tb testing.TB, dsn string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return s
}
