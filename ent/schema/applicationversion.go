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

// ApplicationVersion is the unit of release: an immutable manifest of contents under an application and a version string.
type ApplicationVersion struct{ ent.Schema }

// Annotations names the table.
func (ApplicationVersion) Annotations() []schema.Annotation { return node("application_versions") }

// Fields are the columns.
func (ApplicationVersion) Fields() []ent.Field {
	return []ent.Field{
		field.String("version").Annotations(entgql.OrderField("VERSION")),
		field.String("tag").Default(""),
		field.Enum("status").Values("DRAFT", "LOCKED").Default("LOCKED"),
		field.Enum("trust").Values("PRE_RELEASE", "RELEASED", "TRUSTED_RELEASE").Default("PRE_RELEASE"),
		field.Enum("standing").Values("GOOD", "AT_RISK", "SUSPECT", "WITHDRAWN").Optional().Nillable(),
		field.String("manifest_digest").Comment("of a draft: what it would be if it were locked now"),
		field.Text("manifest"),
		field.Text("properties").Default("[]").Comment("keys and values for people and tools, by key; JSON"),
		field.Text("context").Comment("owners, criticality, maturity and labels as they were when the version was locked; JSON"),
		field.Int("releasable_count"),
		field.Int("moves").Default(0).Comment("counts what moved the version, so that of two promotions at once one wins"),
		field.Int("project_id").Immutable(),
		field.Int("application_id").Immutable(),
		field.Int("stage_id").Optional().Nillable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
		field.Time("locked_at").Optional().Nillable(),
		field.Time("archived_at").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (ApplicationVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("current_stage", Stage.Type).Unique().Field("stage_id").Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
		edge.From("releasables", Releasable.Type).Ref("version"),
		edge.From("promotions", Promotion.Type).Ref("version"),
		edge.From("attestations", Attestation.Type).Ref("version"),
		edge.From("deployments", Deployment.Type).Ref("version"),
	}
}

// Indexes keep names unique and reads fast.
func (ApplicationVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "version").Unique(),
		index.Fields("project_id"),
		index.Fields("manifest_digest"),
		index.Fields("stage_id"),
		index.Fields("version"),
		index.Fields("created_at"),
		index.Fields("trust"),
		index.Fields("standing").Annotations(entsql.IndexWhere("standing IS NOT NULL")),
	}
}
