package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Attestation is a signed statement about a version, as it left the house.
type Attestation struct{ ent.Schema }

// Annotations names the table.
func (Attestation) Annotations() []schema.Annotation { return node("attestations") }

// Fields are the columns.
func (Attestation) Fields() []ent.Field {
	return []ent.Field{
		field.String("digest").Immutable().Comment("of the statement"),
		field.String("predicate_type").Immutable(),
		field.Text("statement").Immutable(),
		field.Text("bundle").Immutable().Comment("Sigstore bundle v0.3"),
		field.Time("created_at").Immutable(),
		field.Int("project_id").Immutable(),
		field.Int("version_id").Immutable(),
		field.Int("promotion_id").Optional().Nillable().Immutable(),
		field.Int("signing_key_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (Attestation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("promotion", Promotion.Type).Unique().Field("promotion_id").Immutable().Annotations(keep()),
		edge.To("signing_key", SigningKey.Type).Unique().Required().Field("signing_key_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Attestation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("digest"),
		index.Fields("version_id"),
		index.Fields("promotion_id"),
		index.Fields("project_id"),
		index.Fields("signing_key_id"),
	}
}
