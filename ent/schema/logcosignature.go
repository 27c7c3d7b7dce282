package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LogCosignature is what a witness signed: that it saw a checkpoint, and none that contradicts it.
type LogCosignature struct{ ent.Schema }

// Annotations names the table.
func (LogCosignature) Annotations() []schema.Annotation { return internal("log_cosignatures") }

// Fields are the columns.
func (LogCosignature) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("size").Immutable().Comment("of the checkpoint"),
		field.String("witness").Immutable().Comment("the name of its key"),
		field.Text("line").Immutable().Comment("the signature line of the note, C2SP tlog-cosignature"),
		field.Time("created_at").Immutable(),
	}
}

// Indexes keep facts unique.
func (LogCosignature) Indexes() []ent.Index {
	return []ent.Index{index.Fields("size", "witness").Unique()}
}
