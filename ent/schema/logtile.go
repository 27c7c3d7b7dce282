package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LogTile is a tile of the Merkle tree over the events. It grows until it is full, and is final from then on.
type LogTile struct{ ent.Schema }

// Annotations names the table.
func (LogTile) Annotations() []schema.Annotation { return internal("log_tiles") }

// Fields are the columns.
func (LogTile) Fields() []ent.Field {
	return []ent.Field{
		field.Int("level").Immutable(),
		field.Int64("position").Immutable().Comment("of the tile within its level"),
		field.Bytes("hashes").Comment("32 bytes each, at most 256"),
	}
}

// Indexes keep names unique and reads fast.
func (LogTile) Indexes() []ent.Index {
	return []ent.Index{index.Fields("level", "position").Unique()}
}
