package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Releasable is one line of a version's contents.
type Releasable struct{ ent.Schema }

// Annotations names the table.
func (Releasable) Annotations() []schema.Annotation { return node("releasables") }

// Fields are the columns.
func (Releasable) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.String("purl").Optional().Nillable().Immutable(),
		field.String("digest").Optional().Nillable().Immutable(),
		field.Enum("kind").Values("PACKAGE", "ARTIFACT").Immutable(),
		field.Enum("source_kind").Values("PACKAGE", "ARTIFACT", "BUILD", "VERSION").Default("ARTIFACT").Immutable().Comment("how it came into the version"),
		field.Int("version_id").Immutable(),
		field.Int("source_build_id").Optional().Nillable().Immutable(),
		field.Int("source_version_id").Optional().Nillable().Immutable(),
		field.Int("origin_application_id").Optional().Nillable().Immutable().Comment("the application whose version brought it, however many versions ago"),
		field.Int("package_id").Optional().Nillable().Immutable(),
		field.Int("package_version_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (Releasable) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("source_build", Build.Type).Unique().Field("source_build_id").Immutable().Annotations(keep()),
		edge.To("source_version", ApplicationVersion.Type).Unique().Field("source_version_id").Immutable().Annotations(keep()),
		edge.To("origin_application", Application.Type).Unique().Field("origin_application_id").Immutable().Annotations(keep()),
		edge.To("package", Pkg.Type).Unique().Field("package_id").Immutable().Annotations(keep()),
		edge.To("package_version", PackageVersion.Type).Unique().Field("package_version_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Releasable) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id"),
		index.Fields("digest"),
		index.Fields("source_build_id"),
		index.Fields("source_version_id"),
		index.Fields("origin_application_id"),
		index.Fields("package_id"),
		index.Fields("package_version_id"),
	}
}
