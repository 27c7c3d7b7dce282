package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Principal is whoever acts: a person or a service account. Records point here rather than repeat the name.
type Principal struct{ ent.Schema }

// Annotations names the table.
func (Principal) Annotations() []schema.Annotation { return internal("principals") }

// Fields are the columns.
func (Principal) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique(),
		field.String("pseudonym").Optional().Nillable().Unique().Comment("how policy inputs and signed statements call a person who approved something"),
		field.Time("erased_at").Optional().Nillable().Comment("when the person was erased: the name is the pseudonym then"),
		field.Enum("kind").Values("USER", "SERVICE").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Principal) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("roles", RoleBinding.Type).Ref("principal"),
	}
}
