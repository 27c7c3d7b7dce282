package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Component is something that software is made of: a purl with its version, or a name and version where no purl is known.
type Component struct{ ent.Schema }

// Annotations names the table.
func (Component) Annotations() []schema.Annotation { return internal("components") }

// Fields are the columns.
func (Component) Fields() []ent.Field {
	return []ent.Field{
		field.String("identity").Unique().Immutable().Comment("the purl, or name@version"),
		field.String("purl").Optional().Nillable().Immutable(),
		field.String("name").Immutable(),
		field.String("version").Immutable(),
		field.String("package_key").Default("").Comment("ecosystem and name, by which advisories find it; empty when none has any"),
	}
}

// Indexes keep reads fast.
func (Component) Indexes() []ent.Index {
	return []ent.Index{index.Fields("package_key").Annotations(entsql.IndexWhere("package_key <> ''"))}
}
