package store

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// conn runs statements: a pool, a connection or a transaction.
type conn = entsql.ExecQuerier

// failureSink is implemented by a conn that wants to know of failures that appear only while rows are read, as those of
// INSERT … RETURNING may on SQLite.
type failureSink interface{ failed(error) }

// driver is ent's view of a conn. Transactions begin in InTx alone, so what ent believes to be one of its own (it asks
// for one when it writes an entity with edges) is part of the transaction that is open.
type driver struct {
	entsql.Conn
	name string
}

func newDriver(name string, c conn) driver {
	return driver{Conn: entsql.Conn{ExecQuerier: statements{c}}, name: name}
}

// Dialect implements dialect.Driver.
func (d driver) Dialect() string { return d.name }

// Tx implements dialect.Driver.
func (d driver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }

// Close implements dialect.Driver. Connections are closed by the Store.
func (d driver) Close() error { return nil }

// Query implements dialect.ExecQuerier and reports failures that appear while reading.
func (d driver) Query(ctx context.Context, query string, args, v any) error {
	if err := d.Conn.Query(ctx, query, args, v); err != nil {
		return err
	}
	sink, wants := d.ExecQuerier.(statements).conn.(failureSink)
	if rows, ok := v.(*entsql.Rows); ok && wants {
		rows.ColumnScanner = watchedRows{rows.ColumnScanner, sink}
	}
	return nil
}

type watchedRows struct {
	entsql.ColumnScanner
	sink failureSink
}

// Next implements entsql.ColumnScanner.
func (r watchedRows) Next() bool {
	if r.ColumnScanner.Next() {
		return true
	}
	if err := r.Err(); err != nil {
		r.sink.failed(err)
	}
	return false
}

// statements is a conn that passes statements on, with times as they are stored, and shows them to whoever watches.
type statements struct{ conn }

// ExecContext implements entsql.ExecQuerier.
func (s statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	storedTimes(args)
	watched(ctx, query, args)
	return s.conn.ExecContext(ctx, query, args...)
}

// QueryContext implements entsql.ExecQuerier.
func (s statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	storedTimes(args)
	watched(ctx, query, args)
	return s.conn.QueryContext(ctx, query, args...)
}

// storedTimes writes times the one way in which they are stored. SQLite compares them as text, so they must all be of one
// zone; Postgres keeps microseconds, so a time with more digits would not be found again by its value.
func storedTimes(args []any) {
	for i, a := range args {
		switch t := a.(type) {
		case time.Time:
			args[i] = t.UTC().Truncate(time.Microsecond)
		case *time.Time:
			if t != nil {
				args[i] = t.UTC().Truncate(time.Microsecond)
			}
		case sql.NullTime:
			t.Time = t.Time.UTC().Truncate(time.Microsecond)
			args[i] = t
		}
	}
}

type watchKey struct{}

// Watch returns a context whose statements are shown to f before they run, with their arguments, in the goroutine that
// runs them. It is for tests that read query plans or count statements.
func Watch(ctx context.Context, f func(query string, args []any)) context.Context {
	return context.WithValue(ctx, watchKey{}, f)
}

func watched(ctx context.Context, query string, args []any) {
	if f, ok := ctx.Value(watchKey{}).(func(string, []any)); ok {
		f(query, args)
	}
}
