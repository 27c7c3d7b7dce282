package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WaiverDecision is what one person said about a waiver.
type WaiverDecision struct{ ent.Schema }

// Annotations names the table.
func (WaiverDecision) Annotations() []schema.Annotation { return internal("waiver_decisions") }

// Fields are the columns.
func (WaiverDecision) Fields() []ent.Field {
	return []ent.Field{
		field.Bool("approved").Immutable(),
		field.Text("comment").Default("").Immutable(),
		field.Time("at").Immutable(),
		field.Int("waiver_id").Immutable(),
		field.Int("decided_by").Immutable(),
	}
}

// Edges are the references to other tables.
func (WaiverDecision) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("waiver", Waiver.Type).Unique().Required().Field("waiver_id").Immutable().Annotations(keep()),
		edge.To("decider", Principal.Type).Unique().Required().Field("decided_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep facts unique: nobody counts twice.
func (WaiverDecision) Indexes() []ent.Index {
	return []ent.Index{index.Fields("waiver_id", "decided_by").Unique()}
}
