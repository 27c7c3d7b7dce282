package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Label is a key and a value on a project or an application; a key may stand there with several values.
type Label struct{ ent.Schema }

// Annotations names the table.
func (Label) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "labels"}}
}

// Fields are the columns.
func (Label) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Immutable(),
		field.String("value").Immutable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
		field.Int("application_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (Label) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Field("application_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Label) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "key", "value").Unique(),
		index.Fields("application_id", "key", "value").Unique(),
		index.Fields("key", "value"),
	}
}
