package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Advisory is one record of a vulnerability database in the OSV format, as it was imported last. Its bytes are a blob.
type Advisory struct{ ent.Schema }

// Annotations names the table.
func (Advisory) Annotations() []schema.Annotation { return internal("advisories") }

// Fields are the columns.
func (Advisory) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable().Comment("its id in the database it comes from"),
		field.String("digest").Comment("blob that holds the record as it came"),
		field.Time("modified_at"),
		field.Time("withdrawn_at").Optional().Nillable(),
		field.Int("vulnerability_id"),
		field.Time("imported_at"),
	}
}

// Edges are the references to other tables.
func (Advisory) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("vulnerability", Vulnerability.Type).Unique().Required().Field("vulnerability_id").Annotations(keep()),
		edge.From("affected", AffectedPackage.Type).Ref("advisory"),
		edge.From("matches", ComponentMatch.Type).Ref("advisory"),
	}
}

// Indexes keep reads fast.
func (Advisory) Indexes() []ent.Index {
	return []ent.Index{index.Fields("vulnerability_id"), index.Fields("digest")}
}
