package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Binding says which application owned a package, or one version of it, from when until when.
type Binding struct{ ent.Schema }

// Annotations names the table.
func (Binding) Annotations() []schema.Annotation { return node("bindings") }

// Fields are the columns.
func (Binding) Fields() []ent.Field {
	return []ent.Field{
		field.Time("since").Immutable(),
		field.Time("until").Optional().Nillable(),
		field.Int("package_id").Immutable(),
		field.Int("package_version_id").Optional().Nillable().Immutable(),
		field.Int("application_id").Immutable(),
		field.Int("bound_by").Immutable(),
		field.Int("unbound_by").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (Binding) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("package", Pkg.Type).Unique().Required().Field("package_id").Immutable().Annotations(keep()),
		edge.To("package_version", PackageVersion.Type).Unique().Field("package_version_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("binder", Principal.Type).Unique().Required().Field("bound_by").Immutable().Annotations(keep()),
		edge.To("unbinder", Principal.Type).Unique().Field("unbound_by").Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Binding) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("package_id").Unique().Annotations(entsql.IndexWhere("until IS NULL AND package_version_id IS NULL")).StorageKey("binding_package_open"),
		index.Fields("package_version_id").Unique().Annotations(entsql.IndexWhere(whileOpen)).StorageKey("binding_version_open"),
		index.Fields("package_id", "since"),
		index.Fields("application_id"),
	}
}
