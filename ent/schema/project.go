package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Project is a group of applications with its own members, stages and lifecycles.
type Project struct{ ent.Schema }

// Annotations names the table.
func (Project) Annotations() []schema.Annotation { return node("projects") }

// Fields are the columns.
func (Project) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Unique().Immutable(),
		field.String("name"),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Project) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("labels", Label.Type).Ref("project"),
		edge.From("applications", Application.Type).Ref("project"),
	}
}
