package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// EvidenceWithdrawal says that a piece of evidence counts no longer. The evidence stays.
type EvidenceWithdrawal struct{ ent.Schema }

// Annotations names the table.
func (EvidenceWithdrawal) Annotations() []schema.Annotation { return internal("evidence_withdrawals") }

// Fields are the columns.
func (EvidenceWithdrawal) Fields() []ent.Field {
	return []ent.Field{
		field.Text("reason").Immutable(),
		field.Time("at").Immutable(),
		field.Int("evidence_id").Immutable(),
		field.Int("withdrawn_by").Immutable(),
	}
}

// Edges are the references to other tables.
func (EvidenceWithdrawal) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("evidence", Evidence.Type).Unique().Required().Field("evidence_id").Immutable().Annotations(keep()),
		edge.To("withdrawer", Principal.Type).Unique().Required().Field("withdrawn_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep facts unique: nothing is withdrawn twice.
func (EvidenceWithdrawal) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("evidence_id").Unique(),
		index.Fields("withdrawn_by"),
	}
}
