package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ComponentMatch says that an advisory holds for a component, and why. It is made when either of them arrives or changes.
type ComponentMatch struct{ ent.Schema }

// Annotations names the table.
func (ComponentMatch) Annotations() []schema.Annotation { return node("component_matches") }

// Fields are the columns.
func (ComponentMatch) Fields() []ent.Field {
	return []ent.Field{
		field.String("because").Comment("why it matches, in a sentence"),
		field.String("vers").Default("").Comment("the range that it lies in, as VERS"),
		field.JSON("fixed_in", []string{}).Comment("versions that are fixed and newer, nearest first"),
		field.Bool("undecided").Default(false).Comment("whether it stands for want of a way to rule it out"),
		field.Int("component_id").Immutable(),
		field.Int("advisory_id").Immutable(),
		field.Int("vulnerability_id"),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (ComponentMatch) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("component", Component.Type).Unique().Required().Field("component_id").Immutable().Annotations(keep()),
		edge.To("advisory", Advisory.Type).Unique().Required().Field("advisory_id").Immutable().Annotations(keep()),
		edge.To("vulnerability", Vulnerability.Type).Unique().Required().Field("vulnerability_id").Annotations(keep()),
	}
}

// Indexes keep facts unique and reads fast.
func (ComponentMatch) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("component_id", "advisory_id").Unique(),
		index.Fields("vulnerability_id", "component_id"),
		index.Fields("advisory_id"),
	}
}
