package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Sbom is a software bill of materials: the components that a document lists.
type Sbom struct{ ent.Schema }

// Annotations names the table.
func (Sbom) Annotations() []schema.Annotation { return node("sboms") }

// Fields are the columns.
func (Sbom) Fields() []ent.Field {
	return []ent.Field{
		field.String("digest").Unique().Immutable(),
		field.Enum("format").Values("CYCLONEDX", "SPDX").Immutable(),
		field.String("spec_version").Immutable(),
		field.Int("component_count").Immutable(),
		field.Bool("complete").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Sbom) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("entries", SbomComponent.Type).Ref("sbom"),
		edge.From("evidence", Evidence.Type).Ref("sbom"),
	}
}
