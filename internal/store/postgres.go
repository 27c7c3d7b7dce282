package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// Connections to Postgres, for one program. Transactions and reads have pools of their own: a transaction that reads
// through Read would otherwise wait for a connection that other transactions hold while they wait for the same.
const (
	postgresWriters = 12
	postgresReaders = 12
)

// postgres is a database on a server.
type postgres struct {
	writers *sql.DB
	readers *sql.DB
}

func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (_ *postgres, err error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database DSN: %w", err) // pgx leaves the password out
	}
	p := &postgres{writers: postgresPool(cfg, postgresWriters)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if err := acknowledgesDurably(ctx, p.writers, log); err != nil {
		return nil, err
	}
	if err := migratePostgres(ctx, p.writers, log); err != nil {
		return nil, err
	}
	read := cfg.Copy()
	read.RuntimeParams["default_transaction_read_only"] = "on"
	// What is asked for is found by index. As the server comes, made for disks that turn, it would rather read whole tables.
	read.RuntimeParams["random_page_cost"] = "1.1"
	p.readers = postgresPool(read, postgresReaders)
	return p, nil
}

// postgresPool makes a pool whose times are in UTC, as they are on SQLite, whatever the server's zone.
func postgresPool(cfg *pgx.ConnConfig, size int) *sql.DB {
	pool := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}))
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// acknowledgesDurably refuses a server that answers a commit before it is on disk.
func acknowledgesDurably(ctx context.Context, pool *sql.DB, log *slog.Logger) error {
	var commit, fsync string
	if err := pool.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')").Scan(&commit, &fsync); err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	if commit == "off" {
		return errors.New("the Postgres server has synchronous_commit=off, so that what it acknowledges can be lost: set it to on for this database or user")
	}
	if fsync == "off" {
		log.WarnContext(ctx, "Postgres runs with fsync=off: a power cut can destroy the database")
	}
	return nil
}

func (p *postgres) dialect() string { return dialect.Postgres }

func (p *postgres) reader() conn { return p.readers }

// inTx implements backend with a transaction of its own, at READ COMMITTED, never retried.
func (p *postgres) inTx(ctx context.Context, fn func(conn) error) (err error) {
	c, err := p.writers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = c.Close() }() // back to the pool
	if err := ctx.Err(); err != nil {
		return err
	}
	// The end of ctx fails statements but not the commit, whose outcome would then be unknown.
	tx, err := c.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			// Fails only when the connection is broken, and the transaction with it.
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	kept = true
	return nil
}

func (p *postgres) ready(ctx context.Context) error {
	var replica bool
	if err := p.writers.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&replica); err != nil {
		return fmt.Errorf("no answer from Postgres: %w", err)
	}
	if replica {
		return errors.New("the Postgres server is a replica and takes no writes")
	}
	return nil
}

func (p *postgres) close() error {
	var errs []error
	for _, pool := range []*sql.DB{p.readers, p.writers} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}
