package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/plimsoll/plimsoll/internal/auth"
)

// Token lets a principal in; of its secret the hash alone is stored.
type Token struct{ ent.Schema }

// Annotations names the table.
func (Token) Annotations() []schema.Annotation { return node("tokens") }

// Fields are the columns.
func (Token) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.String("hash").Unique().Immutable().Sensitive(),
		field.JSON("evidence_types", []string{}).Optional().Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("expires_at").Optional().Nillable().Immutable(),
		field.Time("revoked_at").Optional().Nillable(),
		field.Int("principal_id").Immutable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
		field.String("role").GoType(auth.Role("")).Immutable(),
	}
}

// Edges are the references to other tables.
func (Token) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("principal", Principal.Type).Unique().Required().Field("principal_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Token) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("principal_id"),
		index.Fields("project_id"),
	}
}
