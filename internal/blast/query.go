package blast

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
)

// query is a statement for both databases that is written as text: what it asks for crosses eight tables, and has to begin
// where the question does.
type query struct {
	postgres bool
	text     strings.Builder
	args     []any
}

func (s *Service) query() *query { return &query{postgres: s.store.Dialect() == dialect.Postgres} }

// add writes text and then what stands for the value.
func (q *query) add(text string, values ...any) *query {
	for _, v := range values {
		before, after, _ := strings.Cut(text, "%")
		q.text.WriteString(before)
		switch v := v.(type) {
		case []int:
			q.among(v)
		case raw:
			q.text.WriteString(string(v))
		default:
			q.arg(v)
		}
		text = after
	}
	q.text.WriteString(text)
	return q
}

// raw is text of the program's own.
type raw string

// arg writes a parameter. It has a number, because text that is put together names them in another order.
func (q *query) arg(v any) {
	q.args = append(q.args, v)
	mark := "?"
	if q.postgres {
		mark = "$"
	}
	q.text.WriteString(mark + strconv.Itoa(len(q.args)))
}

// among writes the rest of a condition that a column is one of the numbers: one parameter, however many there are.
func (q *query) among(ids []int) {
	list := make([]byte, 0, 8*len(ids)+2)
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(id), 10)
	}
	if q.postgres {
		q.text.WriteString("= ANY(")
		q.arg("{" + string(list) + "}")
		q.text.WriteString("::bigint[])")
		return
	}
	q.text.WriteString("IN (SELECT value FROM json_each(")
	q.arg("[" + string(list) + "]")
	q.text.WriteString("))")
}

// each runs the statement and calls row for each row.
func (s *Service) each(ctx context.Context, q *query, row func(scan func(...any) error) error) (err error) {
	rows, err := s.store.Read().QueryContext(ctx, q.text.String(), q.args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// during writes that the period of a row held at the instant; now when there is none.
func (q *query) during(alias string, at *time.Time) *query {
	if at == nil {
		return q.add(alias + ".until IS NULL")
	}
	return q.add(alias+".since <= % AND ("+alias+".until IS NULL OR "+alias+".until > %)", *at, *at)
}
