package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PolicyTemplate is a revision of a rule yet without parameters: Rego, and the JSON Schema of what it takes.
type PolicyTemplate struct{ ent.Schema }

// Annotations names the table.
func (PolicyTemplate) Annotations() []schema.Annotation { return node("policy_templates") }

// Fields are the columns.
func (PolicyTemplate) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.Int("revision").Immutable(),
		field.Enum("category").Values("AUDIT", "QUALITY", "SECURITY", "WORKFLOW", "CUSTOM").Immutable(),
		field.String("title").Default("").Immutable(),
		field.Text("description").Default("").Immutable(),
		field.Text("remediation").Default("").Immutable(),
		field.JSON("controls", []string{}).Optional().Immutable(),
		field.Text("rego").Immutable(),
		field.Text("parameters_schema").Immutable(),
		field.Text("tests").Default("").Immutable().Comment("unit tests in Rego"),
		field.JSON("evidence", []string{}).Optional().Immutable().Comment("predicate types of the evidence that it needs"),
		field.String("digest").Immutable().Comment("SHA-256 of the Rego source"),
		field.Time("created_at").Immutable(),
		field.Int("created_by").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (PolicyTemplate) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("creator", Principal.Type).Unique().Field("created_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (PolicyTemplate) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name", "revision").Unique(),
	}
}
