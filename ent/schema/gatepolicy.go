package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/plimsoll/plimsoll/internal/labels"
)

// GatePolicy is a revision of which rules guard which gate of which applications, and what an unsatisfied rule does.
type GatePolicy struct{ ent.Schema }

// Annotations names the table.
func (GatePolicy) Annotations() []schema.Annotation {
	return node("policies")
}

// Fields are the columns.
func (GatePolicy) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.Int("revision").Immutable(),
		field.Enum("mode").Values("WARN", "BLOCK").Immutable(),
		field.Bool("enabled").Immutable(),
		field.Bool("waivable").Immutable(),
		field.Int("waiver_approvals").Default(1).Immutable(),
		field.Int("waiver_max_days").Default(90).Immutable(),
		field.String("stage_name").Immutable(),
		field.Enum("gate_kind").Values("ENTRY", "EXIT", "RELEASE").Immutable(),
		field.Enum("scope_type").Values("GLOBAL", "PROJECT", "APPLICATION").Immutable(),
		field.JSON("label_selectors", []labels.Label{}).Optional().Immutable(),
		field.JSON("criticality_selectors", []string{}).Optional().Immutable(),
		field.Bool("latest").Comment("the revision in force; the others are history"),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (GatePolicy) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("rules", Rule.Type),
		edge.From("targets", PolicyTarget.Type).Ref("policy"),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (GatePolicy) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name", "revision").Unique(),
		index.Fields("name").Unique().Annotations(entsql.IndexWhere("latest")).StorageKey("policy_latest"),
		index.Fields("stage_name", "gate_kind"),
	}
}
