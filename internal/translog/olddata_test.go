package translog_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// beforeTheLog makes a database as it was before there was a log: by the first six migrations.
func beforeTheLog(t *testing.T, dialect goose.Dialect, pool *sql.DB) {
	t.Helper()
	files, err := fs.Sub(store.Migrations(), strings.TrimSuffix(string(dialect), "3"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
}

// TestRule40_EventsFromBeforeTheLogComeIntoItsTree brings a database with rows up to date, and puts its events in the tree.
func TestRule40_EventsFromBeforeTheLogComeIntoItsTree(t *testing.T) {
	const n = 300
	for _, c := range []struct {
		dialect goose.Dialect
		driver  string
		dsn     func(testing.TB) string
	}{{goose.DialectSQLite3, "sqlite3", testdb.SQLite}, {goose.DialectPostgres, "pgx", testdb.BarePostgres}} {
		t.Run(string(c.dialect), func(t *testing.T) {
			dsn := c.dsn(t)
			pool, err := sql.Open(c.driver, strings.TrimPrefix(dsn, "sqlite:"))
			if err != nil {
				t.Fatal(err)
			}
			beforeTheLog(t, c.dialect, pool)
			old := newWorld(t, testdb.SQLite(t))
			old.many(n)
			fill(t, pool, c.dialect == goose.DialectPostgres, old)
			if err := pool.Close(); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, dsn) // migrates
			w.integrate()
			w.many(3)
			w.integrate()
			w.whole(n + 3)
			if first := w.st.Read().ActivityEvent.Query().Where(activityevent.LogIndex(0)).OnlyX(auditor()); first.ID != 1 {
				t.Errorf("the log begins with event %d", first.ID)
			}
			if found, err := w.tree.Verify(auditor()); err != nil || found.Difference != nil || found.Events != n+3 {
				t.Errorf("verify finds %+v (%v)", found, err)
			}
			e := w.st.Read().Evidence.Query().OnlyX(auditor())
			if e.Digest != "sha256:old" || e.MediaType != "application/json" {
				t.Errorf("the evidence is %+v", e)
			}
			err = w.st.InTx(auditor(), func(tx *db.Client) error {
				_, err := tx.ExecContext(auditor(), "UPDATE evidence SET digest = 'other'")
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("evidence from before is changed: %v", err)
			}
		})
	}
}

// fill writes rows as a program from before the log left them: events with those who are in them, and a piece of evidence.
func fill(t *testing.T, pool *sql.DB, postgres bool, from *world) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := pool.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	row := func(table, columns string, values ...any) {
		t.Helper()
		places := make([]string, len(values))
		for i := range values {
			places[i] = fmt.Sprint("$", i+1)
		}
		exec("INSERT INTO "+table+" ("+columns+") VALUES ("+strings.Join(places, ", ")+")", values...)
	}
	row("principals", "id, name, kind, created_at", 1, "ada", "USER", at)
	row("evidence", "id, digest, signer_key, realm, raw_digest, media_type, size, predicate_type, category, verified, verification, created_at, created_by, says_vex",
		1, "sha256:old", "", "", "sha256:raw", "application/json", 7, "https://example.test/v1", "TEST", false, "UNSIGNED", at, 1, false)
	for _, e := range from.st.Read().ActivityEvent.Query().WithOpenings().Order(db.Asc(activityevent.FieldID)).AllX(auditor()) {
		row("activity_events", "id, at, type, category, result, subject, summary, leaf, leaf_hash",
			e.ID, e.At, e.Type, string(e.Category), string(e.Result), e.Subject, e.Summary, e.Leaf, e.LeafHash)
		for _, o := range e.Edges.Openings {
			row("activity_openings", "commitment, salt, name, actor, event_id", o.Commitment, o.Salt, o.Name, o.Actor, e.ID)
		}
	}
	if postgres {
		exec("SELECT setval(pg_get_serial_sequence('activity_events', 'id'), (SELECT max(id) FROM activity_events))")
	}
}
