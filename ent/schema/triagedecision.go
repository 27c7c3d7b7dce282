package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// TriageDecision is what somebody of the house decided to think of a vulnerability, for an application or for all that bear a
// label. It is never changed but to be revoked.
type TriageDecision struct{ ent.Schema }

// Annotations names the table.
func (TriageDecision) Annotations() []schema.Annotation { return node("triage_decisions") }

// Fields are the columns.
func (TriageDecision) Fields() []ent.Field {
	return []ent.Field{
		field.String("vulnerability").Immutable().Comment("the name by which it was decided on; its aliases count as well"),
		field.String("purl").Default("").Immutable().Comment("the package without a version; empty for all"),
		field.String("vers").Default("").Immutable().Comment("its versions, as VERS; empty for all"),
		field.Enum("status").Values("ACCEPTED", "UNDER_INVESTIGATION", "AFFECTED").Immutable(),
		field.Text("justification").Immutable(),
		field.String("label_key").Default("").Immutable(),
		field.String("label_value").Default("").Immutable(),
		field.Time("decided_at").Immutable(),
		field.Time("expires_at").Optional().Nillable().Immutable(),
		field.Time("revoked_at").Optional().Nillable(),
		field.Text("revocation").Default("").Comment("why it was revoked"),
		field.Int("project_id").Optional().Nillable().Immutable().Comment("of the application; none when it is about a label"),
		field.Int("application_id").Optional().Nillable().Immutable(),
		field.Int("owner_id").Optional().Nillable().Immutable().Comment("who sees to it"),
		field.Int("decided_by").Immutable(),
		field.Int("revoked_by").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (TriageDecision) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Field("application_id").Immutable().Annotations(keep()),
		edge.To("owner", Owner.Type).Unique().Field("owner_id").Immutable().Annotations(keep()),
		edge.To("decider", Principal.Type).Unique().Required().Field("decided_by").Immutable().Annotations(keep()),
		edge.To("revoker", Principal.Type).Unique().Field("revoked_by").Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (TriageDecision) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("vulnerability"),
		index.Fields("application_id"),
		index.Fields("project_id"),
		index.Fields("label_key", "label_value").Annotations(entsql.IndexWhere("label_key <> ''")),
	}
}
