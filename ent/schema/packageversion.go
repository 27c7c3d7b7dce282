package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PackageVersion is one version of a package: a purl with its version.
type PackageVersion struct{ ent.Schema }

// Annotations names the table.
func (PackageVersion) Annotations() []schema.Annotation { return internal("package_versions") }

// Fields are the columns.
func (PackageVersion) Fields() []ent.Field {
	return []ent.Field{
		field.String("purl").Unique().Immutable(),
		field.String("digest").Optional().Nillable().Comment("the first digest this version was reported with"),
		field.Int("package_id").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (PackageVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("package", Pkg.Type).Unique().Required().Field("package_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (PackageVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("package_id"),
	}
}
