package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Evaluation is one decision of one gate, with everything needed to make it again.
type Evaluation struct{ ent.Schema }

// Annotations names the table.
func (Evaluation) Annotations() []schema.Annotation { return node("evaluations") }

// Fields are the columns.
func (Evaluation) Fields() []ent.Field {
	return []ent.Field{
		field.String("eval_id").Unique().Immutable(),
		field.String("stage_name").Immutable(),
		field.Enum("gate_kind").Values("ENTRY", "EXIT", "RELEASE").Immutable(),
		field.Enum("decision").Values("PASS", "WARN", "FAIL", "ERROR").Immutable(),
		field.Text("explanation").Immutable(),
		field.Time("evaluated_at").Immutable(),
		field.String("input_digest").Immutable(),
		field.Text("input_parts").Immutable().Comment("JSON list of {key, digest}: the input is the object of these blobs, in this order"),
		field.String("capabilities_digest").Immutable(),
		field.Text("policies").Immutable().Comment("JSON: which policies, in which revision and mode"),
		field.Text("feeds").Default("[]").Immutable().Comment("JSON: the snapshots of the feeds that its vulnerabilities are from"),
		field.Text("waivers").Default("[]").Immutable().Comment("JSON: the waivers that were in force"),
		field.String("results_digest").Immutable().Comment("blob: JSON, one result a rule of a policy"),
		field.Int("project_id").Immutable(),
		field.Int("version_id").Immutable(),
		field.Int("promotion_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (Evaluation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
		edge.To("version", ApplicationVersion.Type).Unique().Required().Field("version_id").Immutable().Annotations(keep()),
		edge.To("promotion", Promotion.Type).Unique().Required().Field("promotion_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Evaluation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id"),
		index.Fields("promotion_id"),
		index.Fields("project_id"),
	}
}
