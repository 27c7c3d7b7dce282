package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

// Migrations go forward only: a database is never older than the program for long, and never newer. They are written by
// migrations/gen from the tables in ent/schema.
//
//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Migrations returns the migrations that this program carries: the folders sqlite and postgres, with files named
// NNNN_what.sql in the form that goose reads.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the path above is well formed
	}
	return sub
}

// migrationLock is the Postgres advisory lock under which one program migrates while others wait.
const migrationLock = 0x706c696d736f6c6c // "plimsoll"

// migrateSQLite brings the file up to date through a connection of its own, on which foreign keys are not enforced: SQLite
// changes a table by copying it, and that must not touch the rows that point to it. They are checked afterwards.
func migrateSQLite(ctx context.Context, path string, log *slog.Logger) (err error) {
	pool, err := sql.Open("sqlite3", sqliteDSN(path, "_foreign_keys=0&_txlock=immediate"))
	if err != nil {
		return fmt.Errorf("open SQLite to migrate it: %w", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	pool.SetMaxOpenConns(1)
	changed, err := migrate(ctx, goose.DialectSQLite3, pool, "sqlite", log)
	if err != nil || !changed {
		return err
	}
	var table string
	switch err := pool.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("check references after migrating: %w", err)
	}
	return fmt.Errorf("after migrating, rows of %s refer to rows that do not exist: restore the backup and report this", table)
}

// migratePostgres brings the database up to date while holding an advisory lock, which ends with its connection.
func migratePostgres(ctx context.Context, pool *sql.DB, log *slog.Logger) (err error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to Postgres to migrate it: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	_, err = migrate(ctx, goose.DialectPostgres, pool, "postgres", log)
	if _, unlockErr := c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock); unlockErr != nil {
		err = errors.Join(err, fmt.Errorf("give the migration lock back: %w", unlockErr))
	}
	return err
}

// migrate applies what is missing, each migration in a transaction, and tells whether anything was.
func migrate(ctx context.Context, dialect goose.Dialect, pool *sql.DB, dir string, log *slog.Logger) (changed bool, err error) {
	files, err := fs.Sub(Migrations(), dir)
	if err != nil {
		return false, fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return false, fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("read the version of the schema: %w", err)
	}
	if have > want {
		return false, fmt.Errorf("the database has schema version %d and this program knows %d: start the newer program, or restore a backup", have, want)
	}
	applied, err := p.Up(ctx)
	if err != nil {
		return false, fmt.Errorf("migrate the schema from version %d to %d: %w", have, want, err)
	}
	for _, m := range applied {
		log.InfoContext(ctx, "schema migrated", slog.Int64("version", m.Source.Version), slog.Duration("took", m.Duration))
	}
	return len(applied) > 0, nil
}
