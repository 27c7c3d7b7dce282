package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/plimsoll/plimsoll/internal/auth"
)

// RoleBinding gives a principal a role on the organisation, or on one project.
type RoleBinding struct{ ent.Schema }

// Annotations names the table.
func (RoleBinding) Annotations() []schema.Annotation { return internal("role_bindings") }

// Fields are the columns.
func (RoleBinding) Fields() []ent.Field {
	return []ent.Field{
		field.String("role").GoType(auth.Role("")).Immutable(),
		field.Int("principal_id").Immutable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (RoleBinding) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("principal", Principal.Type).Unique().Required().Field("principal_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (RoleBinding) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("principal_id", "role", "project_id").Unique(),
		index.Fields("project_id"),
	}
}
