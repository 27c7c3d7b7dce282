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

// Deployment is one rollout of a version to an environment.
type Deployment struct{ ent.Schema }

// Annotations names the table.
func (Deployment) Annotations() []schema.Annotation { return node("deployments") }

// Fields are the columns.
func (Deployment) Fields() []ent.Field {
	return []ent.Field{
		field.String("environment").Immutable(),
		field.String("cluster").Default("").Immutable(),
		field.Enum("kind").Values("RELEASE", "HOTFIX", "ROLLBACK", "REDEPLOY", "CONFIG").Immutable(),
		field.Enum("status").Values("IN_PROGRESS", "SUCCEEDED", "FAILED"),
		field.Time("started_at").Optional().Nillable(),
		field.Time("finished_at").Optional().Nillable(),
		field.Enum("decision").Values("RELEASED", "TRUSTED", "NOT_RELEASED").Immutable().Comment("what the version was worth when it was deployed"),
		field.Bool("live").Default(false).Comment("whether it is what runs there now: the latest success of its application, environment and cluster"),
		field.Int("version_id").Immutable(),
		field.Int("application_id").Immutable(),
		field.Int("project_id").Immutable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable().Annotations(entgql.OrderField("CREATED_AT")),
	}
}

// Edges are the references to other tables.
func (Deployment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (Deployment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id"),
		index.Fields("project_id"),
		index.Fields("application_id", "environment", "cluster", "created_at"),
		index.Fields("created_at"),
		index.Fields("live", "version_id").Annotations(entsql.IndexWhere("live")),
	}
}
