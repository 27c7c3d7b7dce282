package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Promotion is one attempt to move a version, whether it moved or not. Rolling back adds a record and removes none.
type Promotion struct{ ent.Schema }

// Annotations names the table.
func (Promotion) Annotations() []schema.Annotation { return node("promotions") }

// Fields are the columns.
func (Promotion) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("PROMOTE", "RELEASE", "ROLLBACK").Immutable(),
		field.Enum("status").Values("COMPLETED", "BLOCKED", "FAILED").Immutable(),
		field.Text("comment").Default("").Immutable(),
		field.Time("at").Immutable(),
		field.Int("project_id").Immutable(),
		field.Int("version_id").Immutable(),
		field.Int("from_stage_id").Optional().Nillable().Immutable(),
		field.Int("to_stage_id").Optional().Nillable().Immutable(),
		field.Int("undoes_id").Optional().Nillable().Unique().Immutable().Comment("the promotion that a rollback took back; none is taken back twice"),
		field.Int("actor_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (Promotion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("from_stage", Stage.Type).Unique().Field("from_stage_id").Immutable().Annotations(keep()),
		edge.To("to_stage", Stage.Type).Unique().Field("to_stage_id").Immutable().Annotations(keep()),
		edge.To("undone_by", Promotion.Type).Unique().Annotations(keep()).From("undoes").Unique().Field("undoes_id").Immutable(),
		edge.To("principal", Principal.Type).Unique().Required().Field("actor_id").Immutable().Annotations(keep()),
		edge.From("evaluations", Evaluation.Type).Ref("promotion"),
	}
}

// Indexes keep names unique and reads fast.
func (Promotion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id"),
		index.Fields("project_id"),
	}
}
