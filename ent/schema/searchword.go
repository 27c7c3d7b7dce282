package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SearchWord is a word by which an application or a package is found, in lower case.
type SearchWord struct{ ent.Schema }

// Annotations names the table.
func (SearchWord) Annotations() []schema.Annotation { return internal("search_words") }

// Fields are the columns.
func (SearchWord) Fields() []ent.Field {
	return []ent.Field{
		field.String("word").Immutable(),
		field.Int("application_id").Optional().Nillable().Immutable(),
		field.Int("package_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (SearchWord) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("application", Application.Type).Unique().Field("application_id").Immutable().Annotations(keep()),
		edge.To("package", Pkg.Type).Unique().Field("package_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep rows unique and reads fast.
func (SearchWord) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "word").Unique(),
		index.Fields("package_id", "word").Unique(),
		index.Fields("word", "application_id"),
		index.Fields("word", "package_id"),
	}
}
