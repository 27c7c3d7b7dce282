package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LifecycleStep is one stage at its position in a lifecycle.
type LifecycleStep struct{ ent.Schema }

// Annotations names the table.
func (LifecycleStep) Annotations() []schema.Annotation { return internal("lifecycle_steps") }

// Fields are the columns.
func (LifecycleStep) Fields() []ent.Field {
	return []ent.Field{
		field.Int("position").Immutable(),
		field.Int("lifecycle_id").Immutable(),
		field.Int("stage_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (LifecycleStep) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("lifecycle", Lifecycle.Type).Unique().Required().Field("lifecycle_id").Immutable().Annotations(keep()),
		edge.To("stage", Stage.Type).Unique().Required().Field("stage_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (LifecycleStep) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("lifecycle_id", "position").Unique(),
		index.Fields("stage_id"),
	}
}
