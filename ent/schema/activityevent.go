package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ActivityEvent is one thing that happened. Its leaf is final from the moment it is written; people stand in it as commitments.
type ActivityEvent struct{ ent.Schema }

// Annotations names the table.
func (ActivityEvent) Annotations() []schema.Annotation { return node("activity_events") }

// Fields are the columns.
func (ActivityEvent) Fields() []ent.Field {
	return []ent.Field{
		field.Time("at").Immutable(),
		field.String("type").Immutable(),
		field.Enum("category").Values("CATALOG", "ACCESS", "POLICY", "EVIDENCE", "SECURITY", "VERSION", "RELEASE").Immutable(),
		field.Enum("result").Values("SUCCESS", "BLOCKED", "FAILED").Immutable(),
		field.String("project_key").Default("").Immutable(),
		field.String("application_key").Default("").Immutable(),
		field.String("subject").Immutable(),
		field.Text("summary").Immutable(),
		field.Bytes("leaf").Immutable().Comment("canonical JSON: what the Merkle tree commits to"),
		field.Bytes("leaf_hash").Immutable().Comment("RFC 6962 leaf hash"),
		field.Int("log_index").Optional().Nillable(),
		field.Int("project_id").Optional().Nillable().Immutable(),
	}
}

// Edges are the references to other tables.
func (ActivityEvent) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("project", Project.Type).Unique().Field("project_id").Immutable().Annotations(keep()),
		edge.From("openings", ActivityOpening.Type).Ref("event"),
	}
}

// Indexes keep names unique and reads fast.
func (ActivityEvent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id"),
		index.Fields("application_key"),
		index.Fields("project_key"),
		index.Fields("type"),
		index.Fields("subject"),
		index.Fields("at"),
		index.Fields("log_index").Unique(),
	}
}
