package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Override says that a waiver covered a violation in a recorded evaluation.
type Override struct{ ent.Schema }

// Annotations names the table.
func (Override) Annotations() []schema.Annotation { return internal("overrides") }

// Fields are the columns.
func (Override) Fields() []ent.Field {
	return []ent.Field{
		field.String("code").Immutable(),
		field.String("subject").Immutable(),
		field.String("vulnerability").Default("").Immutable().Comment("as databases spell it"),
		field.String("purl").Default("").Immutable(),
		field.String("package").Default("").Immutable().Comment("the purl without its version"),
		field.Int("waiver_id").Immutable(),
		field.Int("evaluation_id").Immutable(),
		field.Int("version_id").Immutable(),
		field.Int("project_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (Override) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("waiver", Waiver.Type).Unique().Required().Field("waiver_id").Immutable().Annotations(keep()),
		edge.To("evaluation", Evaluation.Type).Unique().Required().Field("evaluation_id").Immutable().Annotations(keep()),
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (Override) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id"),
		index.Fields("waiver_id"),
		index.Fields("project_id"),
		index.Fields("evaluation_id"),
		index.Fields("vulnerability").Annotations(entsql.IndexWhere("vulnerability <> ''")),
		index.Fields("package").Annotations(entsql.IndexWhere("package <> ''")),
	}
}
