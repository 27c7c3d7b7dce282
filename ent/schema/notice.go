package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Notice tells an owner what was found in their applications, all of it at once.
type Notice struct{ ent.Schema }

// Annotations names the table.
func (Notice) Annotations() []schema.Annotation { return node("notices") }

// Fields are the columns.
func (Notice) Fields() []ent.Field {
	return []ent.Field{
		field.Int("owner_id").Immutable(),
		field.Time("opened_at").Immutable(),
		field.Time("updated_at").Comment("when something was added to it last"),
	}
}

// Edges are the references to other tables.
func (Notice) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("owner", Owner.Type).Unique().Required().Field("owner_id").Immutable().Annotations(keep()),
		edge.From("entries", NoticeEntry.Type).Ref("notice"),
	}
}

// Indexes keep reads fast.
func (Notice) Indexes() []ent.Index {
	return []ent.Index{index.Fields("owner_id", "opened_at"), index.Fields("opened_at")}
}
