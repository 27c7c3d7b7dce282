package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// LogCheckpoint is the Merkle tree over the events at one of its sizes, signed.
type LogCheckpoint struct{ ent.Schema }

// Annotations names the table.
func (LogCheckpoint) Annotations() []schema.Annotation { return internal("log_checkpoints") }

// Fields are the columns.
func (LogCheckpoint) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("size").Unique().Immutable(),
		field.Bytes("root").Immutable(),
		field.Text("note").Immutable().Comment("the C2SP checkpoint"),
		field.Time("created_at").Immutable(),
	}
}
