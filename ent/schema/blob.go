package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Blob keeps bytes under their digest, compressed.
type Blob struct{ ent.Schema }

// Annotations names the table.
func (Blob) Annotations() []schema.Annotation { return internal("blobs") }

// Fields are the columns.
func (Blob) Fields() []ent.Field {
	return []ent.Field{
		field.String("digest").Unique().Immutable(),
		field.Int("size").Immutable().Comment("bytes before compression"),
		field.Bytes("content").Immutable().Comment("gzip"),
	}
}
