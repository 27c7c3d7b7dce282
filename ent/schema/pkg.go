package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Pkg is a package, whatever its version: a purl (package URL) of type, namespace and name.
type Pkg struct{ ent.Schema }

// Annotations names the table.
func (Pkg) Annotations() []schema.Annotation { return append(node("packages"), entgql.Type("Package")) }

// Fields are the columns.
func (Pkg) Fields() []ent.Field {
	return []ent.Field{
		field.String("purl").Unique().Immutable().Annotations(entgql.OrderField("PURL")),
		field.String("deprecated_reason").Default(""),
		field.Time("deprecated_at").Optional().Nillable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
	}
}

// Edges are the references to other tables.
func (Pkg) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("versions", PackageVersion.Type).Ref("package"),
		edge.From("bindings", Binding.Type).Ref("package"),
		edge.From("releasables", Releasable.Type).Ref("package"),
		edge.From("words", SearchWord.Type).Ref("package"),
	}
}

// Indexes keep reads fast.
func (Pkg) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("created_at"),
		index.Fields("deprecated_at").Annotations(entsql.IndexWhere("deprecated_at IS NOT NULL")),
	}
}
