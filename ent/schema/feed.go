package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Feed is where advisories come from, and what came last.
type Feed struct{ ent.Schema }

// Annotations names the table.
func (Feed) Annotations() []schema.Annotation { return node("feeds") }

// Fields are the columns.
func (Feed) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable(),
		field.Enum("format").Values("OSV", "KEV", "EPSS").Immutable(),
		field.String("source").Default("").Comment("URL or folder that it is pulled from; empty when it is pushed"),
		field.String("digest").Default("").Comment("of the snapshot: of the one before it and what changed since; empty before the first"),
		field.Int("snapshots").Default(0).Comment("how often it changed"),
		field.Time("changed_at").Optional().Nillable().Comment("when the snapshot was taken"),
		field.Time("checked_at").Optional().Nillable().Comment("when it was last found to be up to date"),
		field.Time("tried_at").Optional().Nillable().Comment("when it was last asked for"),
		field.String("validator").Default("").Comment("ETag or digest of what was pulled last"),
		field.String("failure").Default("").Comment("why it could not be pulled the last time; empty when it could"),
	}
}
