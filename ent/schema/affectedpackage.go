package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AffectedPackage says that an advisory speaks of a package: what the components of an SBOM are looked up by.
type AffectedPackage struct{ ent.Schema }

// Annotations names the table.
func (AffectedPackage) Annotations() []schema.Annotation { return internal("affected_packages") }

// Fields are the columns.
func (AffectedPackage) Fields() []ent.Field {
	return []ent.Field{
		field.String("package_key").Immutable().Comment("ecosystem and name, as Component has it"),
		field.Int("advisory_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (AffectedPackage) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("advisory", Advisory.Type).Unique().Required().Field("advisory_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (AffectedPackage) Indexes() []ent.Index {
	return []ent.Index{index.Fields("package_key", "advisory_id").Unique(), index.Fields("advisory_id")}
}
