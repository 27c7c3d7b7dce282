package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// NoticeEntry is what a notice says of one application.
type NoticeEntry struct{ ent.Schema }

// Annotations names the table.
func (NoticeEntry) Annotations() []schema.Annotation { return node("notice_entries") }

// Fields are the columns.
func (NoticeEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("severity").Values("UNKNOWN", "NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL").Comment("the worst of what was found"),
		field.Int("vulnerabilities").Comment("how many were found"),
		field.JSON("named", []string{}).Comment("the worst of them by name"),
		field.JSON("versions", []int{}).Comment("rows of the live versions that hold them"),
		field.Int("notice_id").Immutable(),
		field.Int("application_id").Immutable(),
		field.Int("project_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (NoticeEntry) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("notice", Notice.Type).Unique().Required().Field("notice_id").Immutable().Annotations(keep()),
		edge.To("application", Application.Type).Unique().Required().Field("application_id").Immutable().Annotations(keep()),
		edge.To("project", Project.Type).Unique().Required().Field("project_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep facts unique and reads fast.
func (NoticeEntry) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("notice_id", "application_id").Unique(),
		index.Fields("project_id", "notice_id"),
		index.Fields("application_id"),
	}
}
