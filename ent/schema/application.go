package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Application is what the organisation builds, owns and releases.
type Application struct{ ent.Schema }

// Annotations names the table.
func (Application) Annotations() []schema.Annotation { return node("applications") }

// Fields are the columns.
func (Application) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Unique().Immutable().Annotations(entgql.OrderField("KEY")),
		field.String("name").Annotations(entgql.OrderField("NAME")),
		field.String("description").Default(""),
		field.Enum("criticality").Values("UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "CRITICAL").Default("UNSPECIFIED"),
		field.Enum("maturity").Values("UNSPECIFIED", "EXPERIMENTAL", "PRODUCTION", "END_OF_LIFE").Default("UNSPECIFIED"),
		field.Int("project_id").Immutable(),
		field.Int("lifecycle_id").Optional().Nillable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
		field.Time("archived_at").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (Application) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("lifecycle", Lifecycle.Type).Unique().Field("lifecycle_id").Annotations(keep()),
		edge.From("labels", Label.Type).Ref("application"),
		edge.From("ownerships", Ownership.Type).Ref("application"),
		edge.From("versions", ApplicationVersion.Type).Ref("application"),
		edge.From("words", SearchWord.Type).Ref("application"),
	}
}

// Indexes keep names unique and reads fast.
func (Application) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "name").Unique(),
		index.Fields("lifecycle_id"),
		index.Fields("name"),
		index.Fields("created_at"),
		index.Fields("criticality"),
		index.Fields("maturity"),
	}
}
