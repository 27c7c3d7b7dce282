// Command gen writes the next migration of each database: what is missing between the migrations that are there and the
// tables in ent/schema. It plans against an empty SQLite database in memory and an empty Postgres database that it makes
// on the server named by PLIMSOLL_TEST_POSTGRES and removes again. Nothing is written when nothing is missing.
//
//	scripts/postgres run go run ./internal/store/migrations/gen -name add_waivers
//	scripts/postgres run go run ./internal/store/migrations/gen -initial    # before the first release only: starts over
//	go run ./internal/store/migrations/gen -hash    # after completing by hand, for rows that are there, what was written
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"text/template"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver
	_ "github.com/mattn/go-sqlite3"    // registers the driver

	"github.com/plimsoll/plimsoll/ent/db/migrate"
	"github.com/plimsoll/plimsoll/internal/id"
)

const root = "internal/store/migrations"

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func main() {
	name := flag.String("name", "", "what the migration does, in_this_form")
	initial := flag.Bool("initial", false, "remove all migrations and write 0001_init.sql")
	hash := flag.Bool("hash", false, "renew the checksums of the migrations")
	flag.Parse()
	log.SetFlags(0)
	if *hash {
		if err := renewChecksums(); err != nil {
			log.Fatalf("migrations: %v", err)
		}
		return
	}
	if *initial {
		*name = "init"
	}
	if err := run(context.Background(), *name, *initial); err != nil {
		log.Fatalf("migrations: %v", err)
	}
}

func run(ctx context.Context, name string, initial bool) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("-name %q: use small letters, digits and underscores", name)
	}
	if _, err := os.Stat(root); err != nil {
		return fmt.Errorf("run this in the root of the repository: %w", err)
	}
	server := os.Getenv("PLIMSOLL_TEST_POSTGRES")
	if server == "" {
		return errors.New("PLIMSOLL_TEST_POSTGRES is not set: run this under `scripts/postgres run`")
	}
	err := withSQLite(func(pool *sql.DB) error {
		return plan(ctx, dialect.SQLite, pool, name, initial)
	})
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	err = withPostgres(ctx, server, func(pool *sql.DB) error {
		return plan(ctx, dialect.Postgres, pool, name, initial)
	})
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

func withSQLite(fn func(*sql.DB) error) (err error) {
	pool, err := sql.Open("sqlite3", "file:plan?mode=memory&cache=shared&_fk=1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return fn(pool)
}

// withPostgres makes an empty database to plan in and removes it.
func withPostgres(ctx context.Context, server string, fn func(*sql.DB) error) (err error) {
	u, err := url.Parse(server)
	if err != nil {
		return fmt.Errorf("PLIMSOLL_TEST_POSTGRES: %w", err)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	name := "plimsoll_plan_" + id.Random(6)
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return fmt.Errorf("make a database to plan in: %w", err)
	}
	defer func() {
		_, dropErr := admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		err = errors.Join(err, dropErr)
	}()
	u.Path = "/" + name
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return fn(pool)
}

// plan writes the next file of one database, in the form goose reads, and renews atlas.sum, which holds the checksums of
// the files: a change to one that was written before is found by the tests.
func plan(ctx context.Context, name string, pool *sql.DB, change string, initial bool) error {
	path := filepath.Join(root, map[string]string{dialect.SQLite: "sqlite", dialect.Postgres: "postgres"}[name])
	if initial {
		old, err := filepath.Glob(filepath.Join(path, "*"))
		if err != nil {
			return err
		}
		for _, f := range old {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	dir, err := sqltool.NewGooseDir(path)
	if err != nil {
		return err
	}
	files, err := dir.Files()
	if err != nil {
		return err
	}
	form, err := formatter(len(files) + 1)
	if err != nil {
		return err
	}
	tables := migrate.NewSchema(entsql.OpenDB(name, pool))
	err = tables.NamedDiff(ctx, change, schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(name), schema.WithFormatter(form), schema.WithDropColumn(true), schema.WithDropIndex(true),
		schema.WithErrNoPlan(true))
	if errors.Is(err, atlas.ErrNoPlan) {
		log.Printf("%s: nothing is missing", path)
		return nil
	}
	if err != nil {
		return err
	}
	log.Printf("%s: wrote %04d_%s.sql; read it before you commit it", path, len(files)+1, change)
	return nil
}

// renewChecksums writes atlas.sum of both databases anew.
func renewChecksums() error {
	for _, name := range []string{"sqlite", "postgres"} {
		dir, err := sqltool.NewGooseDir(filepath.Join(root, name))
		if err != nil {
			return err
		}
		sum, err := dir.Checksum()
		if err != nil {
			return err
		}
		if err := atlas.WriteSumFile(dir, sum); err != nil {
			return err
		}
	}
	return nil
}

// formatter numbers files and leaves out the way back: migrations go forward only. It leaves out the statements that
// switch foreign keys off as well: the program migrates on a connection that does not enforce them.
func formatter(number int) (atlas.Formatter, error) {
	name, err := template.New("name").Parse(fmt.Sprintf("%04d_{{ .Name }}.sql", number))
	if err != nil {
		return nil, err
	}
	content, err := template.New("content").Funcs(template.FuncMap{"pragma": regexp.MustCompile(`^PRAGMA foreign_keys`).MatchString}).Parse(
		"-- +goose Up\n{{ range .Changes }}{{ if not (pragma .Cmd) }}{{ with .Comment }}-- {{ println . }}{{ end }}{{ printf \"%s;\\n\" .Cmd }}{{ end }}{{ end }}")
	if err != nil {
		return nil, err
	}
	return atlas.NewTemplateFormatter(name, content)
}
