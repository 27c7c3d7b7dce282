package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Owner is a person or a team that answers for applications.
type Owner struct{ ent.Schema }

// Annotations names the table.
func (Owner) Annotations() []schema.Annotation { return node("owners") }

// Fields are the columns.
func (Owner) Fields() []ent.Field {
	return []ent.Field{
		field.String("ref").Unique().Comment("user:… or team:…"),
		field.String("pseudonym").Unique().Immutable().Comment("how policy inputs and signed statements call it: the reference of a team, person:… for a person, so that a name can be erased and every proof stays"),
		field.String("display_name").Default(""),
		field.String("contact").Default(""),
		field.Time("erased_at").Optional().Nillable().Comment("when the person was erased: the reference is the pseudonym then"),
		field.Time("created_at").Immutable(),
	}
}
