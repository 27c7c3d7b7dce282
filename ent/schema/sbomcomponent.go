package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SbomComponent says that an SBOM lists a component, under which licences, and how closely it is depended on.
type SbomComponent struct{ ent.Schema }

// Annotations names the table.
func (SbomComponent) Annotations() []schema.Annotation { return internal("sbom_components") }

// Fields are the columns.
func (SbomComponent) Fields() []ent.Field {
	return []ent.Field{
		field.JSON("licenses", []string{}).Immutable(),
		field.Bool("direct").Immutable(),
		field.Int("sbom_id").Immutable(),
		field.Int("component_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (SbomComponent) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("sbom", Sbom.Type).Unique().Required().Field("sbom_id").Immutable().Annotations(keep()),
		edge.To("component", Component.Type).Unique().Required().Field("component_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (SbomComponent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("sbom_id", "component_id").Unique(),
		index.Fields("component_id"),
	}
}
