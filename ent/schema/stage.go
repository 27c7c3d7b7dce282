package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Stage is a place on the way to production, of one project or of the whole organisation.
type Stage struct{ ent.Schema }

// Annotations names the table.
func (Stage) Annotations() []schema.Annotation { return node("stages") }

// Fields are the columns.
func (Stage) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.Enum("category").Values("CODE", "PROMOTE", "RELEASE").Immutable(),
		field.Bool("production").Immutable(),
		field.String("realm").Immutable().Comment("the project's key, or empty for a stage of the organisation: what its name is unique in"),
		field.Int("project_id").Optional().Nillable().Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Stage) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Stage) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("realm", "name").Unique(),
		index.Fields("project_id"),
	}
}
