package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// VersionApproval is what a person said of a version; the statement about it is signed.
type VersionApproval struct{ ent.Schema }

// Annotations names the table.
func (VersionApproval) Annotations() []schema.Annotation { return node("version_approvals") }

// Fields are the columns.
func (VersionApproval) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("decision").Values("APPROVED", "REJECTED").Immutable(),
		field.Text("comment").Default("").Immutable(),
		field.JSON("roles", []string{}).Immutable().Comment("the roles that the person had there when they said it"),
		field.Time("at").Immutable(),
		field.Int("version_id").Immutable(),
		field.Int("project_id").Immutable(),
		field.Int("approver_id").Immutable(),
		field.Int("attestation_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (VersionApproval) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("approver", Principal.Type).Unique().Required().Field("approver_id").Immutable().Annotations(keep()),
		edge.To("attestation", Attestation.Type).Unique().Required().Field("attestation_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (VersionApproval) Indexes() []ent.Index {
	return []ent.Index{index.Fields("version_id"), index.Fields("project_id"), index.Fields("attestation_id")}
}
