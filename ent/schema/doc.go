// Package schema describes the tables, one file an entity. Rows carry integers as keys; every edge column that is
// filtered or loaded by has an index. Facts (events, promotions, evaluations, evidence, attestations) are immutable.
package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
)

// node names the table of an entity that the API shows and pages through.
func node(table string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: table}, entgql.RelayConnection()}
}

// internal names the table of an entity that the API does not show.
func internal(table string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: table}, entgql.Skip(entgql.SkipAll)}
}

// keep refuses to delete a row that another one refers to.
func keep() schema.Annotation { return entsql.OnDelete(entsql.Restrict) }

// whileOpen limits a unique index to rows whose period has not ended.
const whileOpen = "until IS NULL"
