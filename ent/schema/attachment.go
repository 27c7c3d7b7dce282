package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Attachment is a file that came with a piece of evidence: a screenshot, a report. Its bytes are in the object store.
type Attachment struct{ ent.Schema }

// Annotations names the table.
func (Attachment) Annotations() []schema.Annotation { return node("attachments") }

// Fields are the columns.
func (Attachment) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable(),
		field.String("digest").Immutable(),
		field.String("media_type").Immutable(),
		field.Int("size").Immutable(),
		field.Int("evidence_id").Immutable(),
		field.Int("created_by").Immutable(),
		field.Time("created_at").Immutable(),
	}
}

// Edges are the references to other tables.
func (Attachment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("evidence", Evidence.Type).Unique().Required().Field("evidence_id").Immutable().Annotations(keep()),
		edge.To("creator", Principal.Type).Unique().Required().Field("created_by").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (Attachment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("evidence_id", "name", "digest").Unique(),
		index.Fields("digest"),
	}
}
