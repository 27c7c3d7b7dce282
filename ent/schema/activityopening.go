package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ActivityOpening opens a commitment in an event's leaf: the salt and the name. Deleting it erases the person and keeps the proof.
type ActivityOpening struct{ ent.Schema }

// Annotations names the table.
func (ActivityOpening) Annotations() []schema.Annotation { return internal("activity_openings") }

// Fields are the columns.
func (ActivityOpening) Fields() []ent.Field {
	return []ent.Field{
		field.String("commitment").Immutable(),
		field.String("salt").Immutable(),
		field.String("name").Immutable(),
		field.Bool("actor").Immutable().Comment("whether this is who acted, rather than someone the change is about"),
		field.Int("event_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (ActivityOpening) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("event", ActivityEvent.Type).Unique().Required().Field("event_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (ActivityOpening) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("event_id"),
		index.Fields("name"),
	}
}
