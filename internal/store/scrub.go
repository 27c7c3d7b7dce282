package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Scrub makes bytes unreadable that were deleted or overwritten in these tables and committed before: both databases
// leave them where they were until the room is needed. It copies what is there and throws the rest away, so it takes
// longer the more there is, and others wait to write meanwhile. It may be done again at any time.
//
// On SQLite it copies the whole file, whatever the tables, and empties the write-ahead log. On Postgres it copies the tables, and
// draws the server's statistics of them anew, which hold values, too.
func (s *Store) Scrub(ctx context.Context, tables ...string) error {
	if err := s.backend.scrub(ctx, tables); err != nil {
		return fmt.Errorf("scrub the database: %w", err)
	}
	return nil
}

// scrub implements backend. Deleting with secure_delete would not be enough: rows that moved from page to page, and tables
// that a migration copied, left their bytes behind long before.
func (s *sqlite) scrub(ctx context.Context, _ []string) error {
	return s.writer.alone(func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "VACUUM"); err != nil {
			return fmt.Errorf("copy the file: %w", err)
		}
		var busy, pages, moved int
		if err := c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
			return fmt.Errorf("empty the write-ahead log: %w", err)
		}
		if busy != 0 {
			return errors.New("empty the write-ahead log: somebody reads an old state of the database for too long")
		}
		return nil
	})
}

// alone runs fn on the connection while no transaction is open.
func (g *groupCommit) alone(fn func(*sql.Conn) error) error {
	g.waiting.Add(1)
	g.baton <- struct{}{}
	g.waiting.Add(-1)
	defer func() { <-g.baton }()
	if g.closed {
		return errClosed
	}
	if g.open != nil {
		g.commit() // whoever left it open did so because somebody waited
	}
	return fn(g.conn)
}

// scrub implements backend. Each statement is a transaction of its own.
func (p *postgres) scrub(ctx context.Context, tables []string) error {
	for _, t := range tables {
		if _, err := p.writers.ExecContext(ctx, "VACUUM (FULL, ANALYZE) "+quoted(t)); err != nil {
			return fmt.Errorf("copy table %s: %w", t, err)
		}
	}
	// Whoever does not own the database is warned by the server, and nothing is done.
	if _, err := p.writers.ExecContext(ctx, "VACUUM (FULL) pg_statistic"); err != nil {
		return fmt.Errorf("copy the statistics: %w", err)
	}
	return nil
}
