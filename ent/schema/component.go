package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
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
	}
}
