package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Waiver is a decision to let something through that a rule objects to.
type Waiver struct{ ent.Schema }

// Annotations names the table.
func (Waiver) Annotations() []schema.Annotation { return node("waivers") }

// Fields are the columns.
func (Waiver) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("state").Values("PENDING", "APPROVED", "REJECTED", "CANCELLED", "REVOKED", "EXPIRED").Default("PENDING"),
		field.String("policy").Default("").Immutable().Comment("name of a policy; empty when it is about a rule"),
		field.String("rule").Default("").Immutable().Comment("name of a rule; empty when it is about a policy"),
		field.String("code").Default("").Immutable(),
		field.String("subject").Default("").Immutable(),
		field.String("vulnerability").Default("").Immutable(),
		field.String("purl").Default("").Immutable(),
		field.Text("justification").Immutable(),
		field.Int("approvals_needed").Immutable(),
		field.Time("requested_at").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("decided_at").Optional().Nillable().Comment("when it was approved or rejected"),
		field.Time("ended_at").Optional().Nillable(),
		field.Time("warned_at").Optional().Nillable().Comment("when the owners were told that it expires soon"),
		field.Text("end_reason").Default(""),
		field.Int("project_id").Immutable(),
		field.Int("application_id").Immutable(),
		field.Int("version_id").Optional().Nillable().Immutable(),
		field.Int("requested_by").Immutable(),
		field.Int("ended_by").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (Waiver) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("version", ApplicationVersion.Type).Unique().Field("version_id").Immutable().Annotations(keep()),
		edge.To("requester", Principal.Type).Unique().Required().Field("requested_by").Immutable().Annotations(keep()),
		edge.To("ender", Principal.Type).Unique().Field("ended_by").Annotations(keep()),
		edge.From("decisions", WaiverDecision.Type).Ref("waiver"),
	}
}

// Indexes keep reads fast.
func (Waiver) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "state"),
		index.Fields("project_id"),
		index.Fields("state", "expires_at"),
	}
}
