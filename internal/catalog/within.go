package catalog

import "entgo.io/ent/dialect/sql"

// Within holds for rows whose column is among the keys of those rows of another table for which the rest holds. Unlike an
// EXISTS that looks back at the row, it lets a database start with the other table's index where that is the shorter way:
// SQLite takes no other.
func Within[P, Q ~func(*sql.Selector)](column, table, key string, of ...Q) P {
	return func(s *sql.Selector) {
		build := sql.Dialect(s.Dialect())
		other := build.Table(table)
		keys := build.Select(other.C(key)).From(other)
		for _, holds := range of {
			holds(keys)
		}
		s.Where(sql.In(s.C(column), keys))
	}
}
