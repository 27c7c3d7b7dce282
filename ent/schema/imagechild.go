package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ImageChild is one image that an image index holds, as the index itself says: whoever has its digest can check it.
type ImageChild struct{ ent.Schema }

// Annotations names the table.
func (ImageChild) Annotations() []schema.Annotation { return internal("image_children") }

// Fields are the columns.
func (ImageChild) Fields() []ent.Field {
	return []ent.Field{
		field.String("index_digest").Immutable(),
		field.String("digest").Immutable(),
		field.String("media_type").Immutable(),
		field.String("platform").Default("").Immutable().Comment("os/architecture/variant, as far as the index says"),
		field.Int("size").Immutable(),
	}
}

// Indexes keep facts unique and reads fast.
func (ImageChild) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("index_digest", "digest").Unique(),
		index.Fields("digest"),
	}
}
