package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
)

// maxVariables is how many values one statement carries. SQLite takes 32,766 and Postgres 65,535; longer statements than
// this are no faster.
const maxVariables = 8000

// Rows are rows of a table, to be written in few statements: ent's builders take longer to make a row than the database
// to write it, while others wait.
type Rows struct {
	Table   string
	Columns []string
	// Values holds the values of one row after those of another, in the order of Columns.
	Values []any
	// Unique are the columns of a unique index of the table. A row that is there already by them is left as it is. Empty: it
	// is an error.
	Unique []string
	// Returning are the columns to give back of the rows that were written, in no order.
	Returning []string
}

// Add adds a row.
func (r *Rows) Add(values ...any) { r.Values = append(r.Values, values...) }

// Insert writes the rows in a transaction. Scan is called for each row that was written; it may be nil when nothing is to
// be returned. Two transactions on Postgres that insert rows with the same unique values wait for each other: insert them
// in an order that depends on these values alone.
func (s *Store) Insert(ctx context.Context, tx *db.Client, r Rows, scan func(dest func(...any) error) error) error {
	width := len(r.Columns)
	if width == 0 || len(r.Values)%width != 0 {
		return fmt.Errorf("insert into %s: %d values for rows of %d columns", r.Table, len(r.Values), width)
	}
	for values := r.Values; len(values) > 0; {
		n := lot(len(values)/width, maxVariables/width)
		if err := r.insert(ctx, tx, r.statement(s.Dialect(), n), values[:n*width], scan); err != nil {
			return fmt.Errorf("insert into %s: %w", r.Table, err)
		}
		values = values[n*width:]
	}
	return nil
}

// lot is how many of n rows the next statement writes, at most so many. Large ones come in few lengths: databases keep
// statements that they understood, and take longer to understand one of this length than to run it.
func lot(n, most int) int {
	for _, size := range []int{2000, 500, 100} {
		if size <= most && size <= n {
			return size
		}
	}
	return min(n, max(1, most))
}

func (r Rows) insert(ctx context.Context, tx *db.Client, statement string, values []any, scan func(dest func(...any) error) error) (err error) {
	if len(r.Returning) == 0 {
		_, err := tx.ExecContext(ctx, statement, values...)
		return err
	}
	rows, err := tx.QueryContext(ctx, statement, values...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statement gives the text for n rows. Names of tables and columns are those of the program: none comes from outside.
func (r Rows) statement(name string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + quoted(r.Table) + " (" + list(r.Columns) + ") VALUES ")
	variable := 0
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for i := range r.Columns {
			if i > 0 {
				b.WriteString(", ")
			}
			if variable++; name == dialect.Postgres {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(variable))
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
	}
	if len(r.Unique) > 0 {
		b.WriteString(" ON CONFLICT (" + list(r.Unique) + ") DO NOTHING")
	}
	if len(r.Returning) > 0 {
		b.WriteString(" RETURNING " + list(r.Returning))
	}
	return b.String()
}

func list(columns []string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c)
	}
	return strings.Join(names, ", ")
}

// quoted is a name as both databases take it.
func quoted(name string) string { return `"` + name + `"` }
