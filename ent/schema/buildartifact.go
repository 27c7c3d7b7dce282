package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// BuildArtifact is something that a build made.
type BuildArtifact struct{ ent.Schema }

// Annotations names the table.
func (BuildArtifact) Annotations() []schema.Annotation { return node("build_artifacts") }

// Fields are the columns.
func (BuildArtifact) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.String("digest").Immutable(),
		field.String("purl").Optional().Nillable().Immutable(),
		field.Int("build_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (BuildArtifact) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("build", Build.Type).Unique().Required().Field("build_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (BuildArtifact) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("build_id"),
		index.Fields("digest"),
	}
}
