package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Rule is a template revision with its parameters filled in.
type Rule struct{ ent.Schema }

// Annotations names the table.
func (Rule) Annotations() []schema.Annotation { return node("rules") }

// Fields are the columns.
func (Rule) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable(),
		field.Text("parameters").Immutable().Comment("canonical JSON, defaults filled in"),
		field.Int("template_id").Immutable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Rule) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("template", PolicyTemplate.Type).Unique().Required().Field("template_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
		edge.From("policies", GatePolicy.Type).Ref("rules"),
	}
}

// Indexes keep names unique and reads fast.
func (Rule) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("template_id"),
	}
}
