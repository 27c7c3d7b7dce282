package testdb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver

	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/store"
)

// ServerVariable names the environment variable with the DSN of the Postgres server on which tests make databases. Its
// user must be allowed to. One database stays there, a template for each state of the migrations.
const ServerVariable = "PLIMSOLL_TEST_POSTGRES"

// templateLock is the advisory lock under which one test program makes the template while others wait.
const templateLock = 0x74657374 // "test"

// Postgres returns the DSN of an empty database with the current schema, which is dropped after the test. It fails the
// test when there is no server.
func Postgres(tb testing.TB) string {
	tb.Helper()
	s := connect(tb)
	return s.create(tb, s.template(tb))
}

// BarePostgres returns the DSN of a database without any schema, which is dropped after the test. It fails the test when
// there is no server.
func BarePostgres(tb testing.TB) string {
	tb.Helper()
	return connect(tb).create(tb, "template0")
}

type server struct {
	dsn   *url.URL
	admin *sql.DB
}

func connect(tb testing.TB) server {
	tb.Helper()
	dsn := os.Getenv(ServerVariable)
	if dsn == "" {
		tb.Fatalf("run make test, which starts a Postgres, or set %s", ServerVariable)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatalf("%s: %v", ServerVariable, err)
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatalf("%s: %v", ServerVariable, err)
	}
	tb.Cleanup(func() { _ = admin.Close() })
	return server{u, admin}
}

// database returns the DSN of a database on the server.
func (s server) database(name string) string {
	u := *s.dsn
	u.Path = "/" + name
	return u.String()
}

// create makes a database like the template, to be dropped after the test whoever is still connected.
func (s server) create(tb testing.TB, template string) string {
	tb.Helper()
	name := "plimsoll_test_" + id.Random(8)
	if _, err := s.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return s.database(name)
}

// template returns the name of a database with the current schema. Copying it takes a fraction of migrating. It is made
// once for each state of the migrations, under another name until it is whole.
func (s server) template(tb testing.TB) string {
	tb.Helper()
	name, err := s.makeTemplate(context.Background())
	if err != nil {
		tb.Fatalf("make the template database: %v", err)
	}
	return name
}

func (s server) makeTemplate(ctx context.Context) (name string, err error) {
	state, err := migrationsDigest()
	if err != nil {
		return "", err
	}
	name = "plimsoll_template_" + state
	c, err := s.admin.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", err
	}
	defer func() {
		_, unlockErr := c.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", templateLock)
		err = errors.Join(err, unlockErr)
	}()
	var there bool
	if err := c.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return name, err
	}
	unfinished := name + "_unfinished"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + unfinished, "CREATE DATABASE " + unfinished} {
		if _, err := c.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	st, err := store.Open(ctx, s.database(unfinished), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	if err := st.Close(); err != nil {
		return "", err
	}
	_, err = c.ExecContext(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+name)
	return name, err
}

// migrationsDigest names the state of the Postgres migrations, short enough for a database's name.
func migrationsDigest() (string, error) {
	h := sha256.New()
	all := store.Migrations()
	err := fs.WalkDir(all, "postgres", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(all, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}
