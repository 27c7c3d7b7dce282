package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// SigningKey is a public key that this installation signed with; kept when the key is replaced, since old statements stay.
type SigningKey struct{ ent.Schema }

// Annotations names the table.
func (SigningKey) Annotations() []schema.Annotation { return internal("signing_keys") }

// Fields are the columns.
func (SigningKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("fingerprint").Unique().Immutable(),
		field.Text("public_key").Immutable(),
		field.Time("created_at").Immutable(),
	}
}
