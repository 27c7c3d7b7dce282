package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// TrustAnchor is a public key, or a keyless identity, whose signatures the organisation trusts.
type TrustAnchor struct{ ent.Schema }

// Annotations names the table.
func (TrustAnchor) Annotations() []schema.Annotation { return node("trust_anchors") }

// Fields are the columns.
func (TrustAnchor) Fields() []ent.Field {
	return []ent.Field{
		field.String("alias").Unique().Immutable(),
		field.Enum("kind").Values("PUBLIC_KEY", "KEYLESS").Immutable(),
		field.Text("public_key").Immutable(),
		field.String("issuer").Default("").Immutable().Comment("OpenID Connect issuer of a keyless identity"),
		field.String("subject").Default("").Immutable().Comment("pattern of the subjects of a keyless identity"),
		field.Text("trusted_root").Default("").Immutable().Comment("Sigstore trusted root of a keyless identity; JSON"),
		field.String("fingerprint").Unique().Immutable().Comment("SHA-256 of the key's SubjectPublicKeyInfo, or of issuer, subject and trusted root"),
		field.String("algorithm").Immutable(),
		field.Time("valid_from").Optional().Nillable().Immutable(),
		field.Time("valid_to").Optional().Nillable().Immutable(),
		field.Time("revoked_at").Optional().Nillable(),
		field.Time("created_at").Immutable(),
	}
}
