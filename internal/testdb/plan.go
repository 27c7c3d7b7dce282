package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/store"
)

// Statement is a statement as it was run, and how the database means to run it.
type Statement struct {
	SQL  string
	Args []any
	// Plan is what EXPLAIN QUERY PLAN (SQLite) or EXPLAIN (Postgres, advised against sequential scans) answers, one step a line.
	Plan string
}

// Plans runs fn and returns the queries that it made through a store opened at dsn, in order, with their plans. Fn must
// use the context that it is given. A query made in several goroutines may come in any order.
func Plans(ctx context.Context, tb testing.TB, dsn string, fn func(ctx context.Context) error) []Statement {
	tb.Helper()
	var seen recorder
	if err := fn(store.Watch(ctx, seen.add)); err != nil {
		tb.Fatalf("run what is to be explained: %v", err)
	}
	statements := seen.queries()
	pool, prefix := explainer(tb, dsn)
	defer func() { _ = pool.Close() }()
	for i := range statements {
		plan, err := explain(ctx, pool, prefix, statements[i])
		if err != nil {
			tb.Fatalf("explain %s: %v", statements[i].SQL, err)
		}
		statements[i].Plan = plan
	}
	return statements
}

// NoScans runs fn as Plans does and fails the test for each query that reads a whole table, except the tables allowed.
// It fails as well when fn makes no query.
func NoScans(ctx context.Context, tb testing.TB, dsn string, fn func(ctx context.Context) error, allowed ...string) {
	tb.Helper()
	statements := Plans(ctx, tb, dsn, fn)
	if len(statements) == 0 {
		tb.Error("no query was made: does the function use the context that it is given?")
	}
	for _, s := range statements {
		for _, table := range s.Scans() {
			if !slices.Contains(allowed, table) {
				tb.Errorf("the whole of %s is read by\n%s\n%s", table, s.SQL, s.Plan)
			}
		}
	}
}

// A step of a plan that reads a table from end to end: "SCAN t" on SQLite, unless it walks an index, and "Seq Scan on t" on
// Postgres. SQLite names the alias where there is one.
var (
	sqliteScan   = regexp.MustCompile(`^SCAN (\S+)(?: AS (\S+))?( VIRTUAL TABLE.*)?$`)
	postgresScan = regexp.MustCompile(`Seq Scan on (\S+)`)
)

// Scans returns the tables that the statement reads as a whole.
func (s Statement) Scans() []string {
	var tables []string
	for line := range strings.Lines(s.Plan) {
		line = strings.TrimSpace(line)
		m := sqliteScan.FindStringSubmatch(line)
		if m == nil {
			m = postgresScan.FindStringSubmatch(line)
		}
		// Rows that the statement itself brings along are no table.
		if m != nil && m[1] != "CONSTANT" && !strings.HasPrefix(m[1], "(") {
			tables = append(tables, m[1])
		}
	}
	return tables
}

func explainer(tb testing.TB, dsn string) (pool *sql.DB, prefix string) {
	tb.Helper()
	var err error
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		prefix = "EXPLAIN QUERY PLAN "
		pool, err = sql.Open("sqlite3", path)
	} else {
		prefix = "EXPLAIN (COSTS OFF) "
		pool, err = sql.Open("pgx", dsn)
	}
	if err != nil {
		tb.Fatalf("open database to explain queries: %v", err)
	}
	pool.SetMaxOpenConns(1)
	if strings.HasSuffix(prefix, "OFF) ") {
		// The tables of tests are so small that reading all of them is right: ask what happens where it is not.
		if _, err := pool.Exec("SET enable_seqscan = off"); err != nil {
			tb.Fatalf("advise against scans: %v", err)
		}
	}
	return pool, prefix
}

// explain returns the last column of each row: SQLite puts numbers before.
func explain(ctx context.Context, pool *sql.DB, prefix string, s Statement) (string, error) {
	rows, err := pool.QueryContext(context.WithoutCancel(ctx), prefix+s.SQL, s.Args...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	var plan strings.Builder
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return "", err
		}
		fmt.Fprintln(&plan, *values[len(values)-1].(*any))
	}
	return plan.String(), rows.Err()
}
