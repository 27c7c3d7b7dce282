package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Ownership says who owned an application from when until when, and who changed it.
type Ownership struct{ ent.Schema }

// Annotations names the table.
func (Ownership) Annotations() []schema.Annotation { return node("ownerships") }

// Fields are the columns.
func (Ownership) Fields() []ent.Field {
	return []ent.Field{
		field.Time("since").Immutable(),
		field.Time("until").Optional().Nillable(),
		field.Int("application_id").Immutable(),
		field.Int("owner_id").Immutable(),
		field.Int("assigned_by").Immutable(),
		field.Int("removed_by").Optional().Nillable(),
	}
}

// Edges are the references to other tables.
func (Ownership) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("owner", Owner.Type).Unique().Required().Field("owner_id").Immutable().Annotations(keep()),
		edge.To("assigner", Principal.Type).Unique().Required().Field("assigned_by").Immutable().Annotations(keep()),
		edge.To("remover", Principal.Type).Unique().Field("removed_by").Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Ownership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "owner_id").Unique().Annotations(entsql.IndexWhere(whileOpen)),
		index.Fields("application_id", "since"),
		index.Fields("owner_id"),
	}
}
