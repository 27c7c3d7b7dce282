package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Freeze is a time in which nothing moves: of a project, an application, a label, or of everything.
type Freeze struct{ ent.Schema }

// Annotations names the table.
func (Freeze) Annotations() []schema.Annotation { return node("freezes") }

// Fields are the columns.
func (Freeze) Fields() []ent.Field {
	return []ent.Field{
		field.String("label_key").Default("").Immutable(),
		field.String("label_value").Default("").Immutable(),
		field.Text("reason").Immutable(),
		field.Time("starts_at").Immutable(),
		field.Time("ends_at").Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("lifted_at").Optional().Nillable(),
		field.Int("project_id").Optional().Nillable().Immutable().Comment("the project that stands still, or that of the application that does"),
		field.Int("application_id").Optional().Nillable().Immutable(),
		field.Int("created_by").Immutable(),
		field.Int("lifted_by").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (Freeze) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Field("application_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
		edge.To("lifter", Principal.Type).Unique().Field("lifted_by").Annotations(keep()),
	}
}

// Indexes keep reads fast.
func (Freeze) Indexes() []ent.Index {
	return []ent.Index{index.Fields("ends_at"), index.Fields("project_id"), index.Fields("application_id")}
}
