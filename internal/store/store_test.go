package store_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var (
	quiet = slog.New(slog.DiscardHandler)
	epoch = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
)

// system is the context of the service itself.
func system(t testing.TB) context.Context { return auth.System(t.Context()) }

// addProject is the smallest thing that a transaction can write.
func addProject(ctx context.Context, tx *db.Client, key string) error {
	return tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(epoch).Exec(ctx)
}

func projects(t testing.TB, s *store.Store) []string {
	t.Helper()
	keys, err := s.Read().Project.Query().Order(db.Asc(project.FieldKey)).Select(project.FieldKey).Strings(system(t))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	notADatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dsn, want string }{
		"nothing":                        {"", "want \"sqlite:PATH\""},
		"a path without a scheme":        {"/tmp/plimsoll.db", "want \"sqlite:PATH\""},
		"another database":               {"mysql://plimsoll:secret@localhost/plimsoll", "want \"sqlite:PATH\""},
		"SQLite without a path":          {"sqlite:", "needs the path of a file"},
		"a database in memory":           {"sqlite::memory:", "would lose what it acknowledged"},
		"a folder that is not there":     {"sqlite:" + filepath.Join(dir, "absent", "plimsoll.db"), "no such file or directory"},
		"a file that is not a database":  {"sqlite:" + notADatabase, "file is not a database"},
		"a Postgres DSN that is not one": {"postgres://plimsoll:secret@local host/", "database DSN"},
		"a Postgres that is not there":   {"postgres://plimsoll:secret@127.0.0.1:1/plimsoll", "connect to Postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), c.dsn, quiet)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want it to contain %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %q", err)
			}
		})
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		testdb.Open(t, dsn)
		pool := plainPool(t, dsn)
		if _, err := pool.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), dsn, quiet)
		if err == nil || !strings.Contains(err.Error(), "schema version 9999") {
			t.Fatalf("opening a database of the future: %v", err)
		}
	})
}

func TestOpenRefusesAPostgresThatAcknowledgesTooEarly(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Postgres")
	}
	dsn := testdb.Postgres(t)
	_, err := store.Open(t.Context(), dsn+"&synchronous_commit=off", quiet)
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit=off") {
		t.Fatalf("opening it: %v", err)
	}
}

func TestServersMayStartAtOnceOnOnePostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Postgres")
	}
	dsn := testdb.BarePostgres(t)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			s, err := store.Open(t.Context(), dsn, quiet)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestOpenAgainFindsWhatWasWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		ctx := system(t)
		first, err := store.Open(ctx, dsn, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, "kept") }); err != nil {
			t.Fatal(err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if got := projects(t, testdb.Open(t, dsn)); len(got) != 1 || got[0] != "kept" {
			t.Errorf("projects are %v", got)
		}
	})
}

func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?x=1%20#y.db")
	s := testdb.Open(t, "sqlite:"+path)
	ctx := system(t)

	t.Run("is at the path that was named, for its owner's eyes alone", func(t *testing.T) {
		for _, name := range []string{path, path + "-wal"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
		}
	})

	settings := map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000"}
	for name, want := range settings {
		t.Run("writes with "+name+"="+want, func(t *testing.T) {
			var got string
			err := s.InTx(ctx, func(tx *db.Client) error {
				rows, err := tx.QueryContext(ctx, "PRAGMA "+name)
				if err != nil {
					return err
				}
				rows.Next()
				return errors.Join(rows.Scan(&got), rows.Close())
			})
			if err != nil || got != want {
				t.Errorf("it is %q, error %v", got, err)
			}
		})
	}
}

func TestReadCannotWrite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		if err := addProject(system(t), s.Read(), "sneaked-in"); err == nil {
			t.Error("a write through the reader succeeded")
		}
		if got := projects(t, s); len(got) != 0 {
			t.Errorf("projects are %v", got)
		}
	})
}

func TestReady(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s, err := store.Open(t.Context(), dsn, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("an open store is not ready: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err == nil {
			t.Error("a closed store is ready")
		}
		err = s.InTx(t.Context(), func(*db.Client) error { return nil })
		if err == nil {
			t.Error("a closed store takes a transaction")
		}
	})
}

func TestDialect(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		want := dialect.Postgres
		if strings.HasPrefix(dsn, "sqlite:") {
			want = dialect.SQLite
		}
		if got := testdb.Open(t, dsn).Dialect(); got != want {
			t.Errorf("Dialect() = %q, want %q", got, want)
		}
	})
}

func TestTimesAreComparedAsInstants(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		// In order: the first is the earlier although its clock shows more.
		east := time.Date(2026, 11, 21, 9, 0, 0, 123456789, time.FixedZone("east", 6*3600))
		west := time.Date(2026, 11, 21, 2, 0, 0, 0, time.FixedZone("west", -3*3600))
		err := s.InTx(ctx, func(tx *db.Client) error {
			return errors.Join(
				tx.Project.Create().SetKey("later").SetName("later").SetCreatedAt(west).Exec(ctx),
				tx.Project.Create().SetKey("earlier").SetName("earlier").SetCreatedAt(east).Exec(ctx),
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Read().Project.Query().Where(project.CreatedAtLT(west)).Only(ctx)
		if err != nil || got.Key != "earlier" {
			t.Fatalf("before the later one there is %v, error %v", got, err)
		}
		if want := east.UTC().Truncate(time.Microsecond); got.CreatedAt != want {
			t.Errorf("read as %v, want %v", got.CreatedAt, want)
		}
		if _, err := s.Read().Project.Query().Where(project.CreatedAt(east)).Only(ctx); err != nil {
			t.Errorf("not found by the time it was written with: %v", err)
		}
	})
}

// plainPool connects to the database at dsn without the store.
func plainPool(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite3", path
	}
	pool, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}
