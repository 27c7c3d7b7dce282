package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// EvidenceSubject is one thing that a piece of evidence speaks of, found again by its digest.
type EvidenceSubject struct{ ent.Schema }

// Annotations names the table.
func (EvidenceSubject) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "evidence_subjects"}}
}

// Fields are the columns.
func (EvidenceSubject) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Default("").Immutable(),
		field.String("digest").Immutable(),
		field.String("purl").Optional().Nillable().Immutable(),
		field.Int("evidence_id").Immutable(),
	}
}

// Edges are the references to other tables.
func (EvidenceSubject) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("evidence", Evidence.Type).Unique().Required().Field("evidence_id").Immutable().Annotations(keep()),
	}
}

// Indexes keep names unique and reads fast.
func (EvidenceSubject) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("digest"),
		index.Fields("purl"),
		index.Fields("evidence_id"),
	}
}
