package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Lifecycle is the order in which the versions of a project pass through its stages.
type Lifecycle struct{ ent.Schema }

// Annotations names the table.
func (Lifecycle) Annotations() []schema.Annotation { return node("lifecycles") }

// Fields are the columns.
func (Lifecycle) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.Bool("enforce_order"),
		field.Int("revision").Default(1).Comment("counts changes, so that a decision can tell whether it was made on this order"),
		field.Int("project_id").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Lifecycle) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.From("steps", LifecycleStep.Type).Ref("lifecycle"),
	}
}

// Indexes keep names unique and reads fast.
func (Lifecycle) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "name").Unique(),
	}
}
