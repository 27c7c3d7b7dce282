package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Build is one run of a build, with what went in and what came out.
type Build struct{ ent.Schema }

// Annotations names the table.
func (Build) Annotations() []schema.Annotation { return node("builds") }

// Fields are the columns.
func (Build) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.String("number").Immutable(),
		field.String("realm").Immutable().Comment("key of the project it was reported to, or empty for the organisation"),
		field.String("digest").Immutable().Comment("of its canonical record: what evidence about it names"),
		field.Time("started_at").Optional().Nillable().Immutable(),
		field.String("repository").Immutable(),
		field.String("revision").Immutable(),
		field.String("branch").Default("").Immutable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
	}
}

// Edges are the references to other tables.
func (Build) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
		edge.From("artifacts", BuildArtifact.Type).Ref("build"),
		edge.From("releasables", Releasable.Type).Ref("source_build"),
	}
}

// Indexes keep names unique and reads fast.
func (Build) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name", "number", "realm").Unique(),
		index.Fields("digest"),
		index.Fields("revision"),
		index.Fields("project_id"),
		index.Fields("created_at"),
	}
}
