package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"
	_ "github.com/mattn/go-sqlite3" // registers the driver
)

// sqlite is one file: a connection that writes, and a pool that reads beside it.
type sqlite struct {
	writers *sql.DB
	readers *sql.DB
	writer  *groupCommit
}

func openSQLite(ctx context.Context, path string, log *slog.Logger) (_ *sqlite, err error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New(`database DSN: "sqlite:" needs the path of a file; a database in memory would lose what it acknowledged`)
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	if err := migrateSQLite(ctx, path, log); err != nil {
		return nil, err
	}
	s := &sqlite{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closePools())
		}
	}()
	if s.writers, err = sql.Open("sqlite3", sqliteDSN(path, "_foreign_keys=1&_txlock=immediate&_stmt_cache_size=256")); err != nil {
		return nil, fmt.Errorf("open SQLite for writing: %w", err)
	}
	s.writers.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite3", sqliteDSN(path, "mode=ro&_query_only=1&_stmt_cache_size=128")); err != nil {
		return nil, fmt.Errorf("open SQLite for reading: %w", err)
	}
	n := max(4, runtime.GOMAXPROCS(0))
	s.readers.SetMaxOpenConns(n)
	s.readers.SetMaxIdleConns(n)
	c, err := s.writers.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open SQLite for writing: %w", err)
	}
	// A checkpoint copies each page once, however often it changed since the last one, while the writers wait.
	if _, err := c.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 8000"); err != nil {
		return nil, fmt.Errorf("open SQLite for writing: %w", err)
	}
	s.writer = newGroupCommit(c)
	return s, nil
}

// createPrivate creates the database file, if it is not there, for its owner's eyes alone. SQLite gives the files that it
// puts beside it the same permissions.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open SQLite file: %w", err)
	}
	return f.Close()
}

// sqliteDSN names the file with the settings that every connection needs: write-ahead log, commits that wait for the
// disk (the driver's default for this log is to acknowledge before), and patience with another process.
func sqliteDSN(path, more string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	return u.String() + "?_journal_mode=WAL&_synchronous=FULL&_cache_size=-32000&_busy_timeout=10000&_loc=UTC&" + more
}

func (s *sqlite) dialect() string { return dialect.SQLite }

func (s *sqlite) reader() conn { return s.readers }

func (s *sqlite) inTx(ctx context.Context, fn func(conn) error) error { return s.writer.inTx(ctx, fn) }

func (s *sqlite) ready(ctx context.Context) error {
	// A transaction that writes nothing takes the write lock, so it fails where writing would.
	if err := s.inTx(ctx, func(conn) error { return nil }); err != nil {
		return fmt.Errorf("SQLite is not writable: %w", err)
	}
	var n int
	if err := s.readers.QueryRowContext(ctx, "SELECT 1").Scan(&n); err != nil {
		return fmt.Errorf("SQLite is not readable: %w", err)
	}
	return nil
}

func (s *sqlite) close() error {
	return errors.Join(s.writer.close(), s.closePools())
}

func (s *sqlite) closePools() error {
	var errs []error
	for _, p := range []*sql.DB{s.readers, s.writers} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}
