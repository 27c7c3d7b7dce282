package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Evidence is a document about something that is released, with who signed it and whether that was verified on arrival.
type Evidence struct{ ent.Schema }

// Annotations names the table.
func (Evidence) Annotations() []schema.Annotation { return node("evidence") }

// Fields are the columns.
func (Evidence) Fields() []ent.Field {
	return []ent.Field{
		field.String("digest").Immutable().Comment("of the payload: the signed statement, or the document"),
		field.String("signer_key").Immutable().Comment("fingerprint of the verifying key, the key id of an unknown signer, or for a document the digest of its subjects: with the digest, what makes evidence one"),
		field.String("realm").Immutable().Comment("key of the project it was pushed to, or empty for the organisation"),
		field.String("raw_digest").Immutable().Comment("what holds the bytes as they came"),
		field.Bool("raw_in_objects").Default(false).Immutable().Comment("whether they are in the object store, because they are large, and not in the database"),
		field.String("media_type").Immutable(),
		field.Int("size").Immutable(),
		field.String("predicate_type").Immutable(),
		field.Text("view").Default("").Immutable().Comment("what it says, in one shape a category (internal/view); JSON, empty when its type has none"),
		field.Bool("says_vex").Default(false).Immutable().Comment("whether the view has VEX statements, so that these are found without reading the others"),
		field.Enum("category").Values("AUDIT", "QUALITY", "SECURITY", "WORKFLOW", "CUSTOM").Immutable(),
		field.Bool("verified").Immutable(),
		field.String("verification").Immutable().Comment("why it counts as verified or not, in a sentence"),
		field.Bool("collected").Default(false).Immutable().Comment("whether this installation signed for having received it from who it says"),
		field.String("provider").Default("").Immutable(),
		field.Int("anchor_id").Optional().Nillable().Immutable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
		field.Int("stage_id").Optional().Nillable().Immutable(),
		field.Int("sbom_id").Optional().Nillable().Immutable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
	}
}

// Edges are the references to other tables.
func (Evidence) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("anchor", TrustAnchor.Type).Unique().Field("anchor_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.To("stage", Stage.Type).Unique().Field("stage_id").Immutable().Annotations(keep()),
		edge.To("sbom", Sbom.Type).Unique().Field("sbom_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
		edge.From("subjects", EvidenceSubject.Type).Ref("evidence"),
		edge.From("attachments", Attachment.Type).Ref("evidence"),
	}
}

// Indexes keep names unique and reads fast.
func (Evidence) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("says_vex").Annotations(entsql.IndexWhere("says_vex")),
		index.Fields("digest", "signer_key", "realm").Unique(),
		index.Fields("predicate_type", "created_at"),
		index.Fields("category", "created_at"),
		index.Fields("verified", "created_at"),
		index.Fields("signer_key"),
		index.Fields("created_at"),
		index.Fields("raw_digest").Annotations(entsql.IndexWhere("raw_in_objects")),
		index.Fields("anchor_id").Annotations(entsql.IndexWhere("anchor_id IS NOT NULL")),
		index.Fields("project_id").Annotations(entsql.IndexWhere("project_id IS NOT NULL")),
		index.Fields("stage_id").Annotations(entsql.IndexWhere("stage_id IS NOT NULL")),
		index.Fields("sbom_id").Annotations(entsql.IndexWhere("sbom_id IS NOT NULL")),
	}
}
