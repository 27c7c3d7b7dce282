package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PolicyTarget is a project or an application that a policy is limited to.
type PolicyTarget struct{ ent.Schema }

// Annotations names the table.
func (PolicyTarget) Annotations() []schema.Annotation { return internal("policy_targets") }

// Fields are the columns.
func (PolicyTarget) Fields() []ent.Field {
	return []ent.Field{
		field.Int("policy_id").Immutable(),
		field.Int("project_id").Immutable(),
		field.Int("application_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (PolicyTarget) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("policy", GatePolicy.Type).Unique().Required().Field("policy_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Field("application_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (PolicyTarget) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("policy_id"),
		index.Fields("project_id"),
		index.Fields("application_id"),
	}
}
