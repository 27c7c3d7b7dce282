package passport

// Schema is what passport.json says that it is.
const Schema = "plimsoll.passport/v1"

// IndexName is the file that lists all others.
const IndexName = "passport.json"

// Kind is what a file of a passport is.
type Kind string

// The kinds of files.
const (
	KindManifest    Kind = "manifest"
	KindAttestation Kind = "attestation"
	// KindEvidence is the raw bytes of a piece of evidence, and KindEvidenceRecord what was said of it when it came.
	KindEvidence       Kind = "evidence"
	KindEvidenceRecord Kind = "evidence-record"
	// KindDecision is a file of an exported decision.
	KindDecision   Kind = "decision"
	KindCheckpoint Kind = "checkpoint"
	KindLeaf       Kind = "leaf"
	KindProof      Kind = "proof"
	KindReleaseKey Kind = "release-key"
	KindLogKey     Kind = "log-key"
	KindAnchor     Kind = "anchor"
	// KindGuide is what explains and checks: the page, the README, verify.sh.
	KindGuide Kind = "guide"
)

// Index is passport.json.
type Index struct {
	Schema      string `json:"schema"`
	Application string `json:"application"`
	Version     string `json:"version"`
	// ManifestDigest is the version's identity, `sha256:hex`.
	ManifestDigest string `json:"manifestDigest"`
	// MadeAt is when the passport was made, RFC 3339 in UTC.
	MadeAt string `json:"madeAt"`
	// VerifierID is what the installation calls itself in SLSA Verification Summaries.
	VerifierID string `json:"verifierId"`
	// Files are all files but this one, by path.
	Files []File `json:"files"`
}

// File is one file of a passport.
type File struct {
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Digest is the SHA-256 of the bytes, `sha256:hex`.
	Digest string `json:"digest"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// Names is the digest by which statements name it, where that is another one: of an envelope's payload.
	Names string `json:"names,omitempty"`
	// LeftOut says that the file is not here, on purpose.
	LeftOut bool `json:"leftOut,omitempty"`
}

// MayBeLeftOut tells whether a passport still verifies without the file.
func (f File) MayBeLeftOut() bool {
	return f.Kind == KindEvidence || f.Kind == KindEvidenceRecord || f.Kind == KindDecision
}

// EvidenceRecord is what was said of a piece of evidence when it came: evidence/HEX.json.
type EvidenceRecord struct {
	// Digest is that of the payload.
	Digest        string    `json:"digest"`
	PredicateType string    `json:"predicateType"`
	MediaType     string    `json:"mediaType"`
	Verified      bool      `json:"verified"`
	Verification  string    `json:"verification"`
	Signer        string    `json:"signer,omitempty"` // alias of the trust anchor
	CreatedAt     string    `json:"createdAt"`
	Withdrawn     string    `json:"withdrawn,omitempty"` // the instant
	Subjects      []Subject `json:"subjects"`
}

// Subject is what a piece of evidence is about.
type Subject struct {
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest"`
}

// Anchor is keys/anchors/ALIAS.json: with whom a piece of evidence was checked.
type Anchor struct {
	Alias string `json:"alias"`
	// Kind is PUBLIC_KEY, with the key beside it as ALIAS.pub, or KEYLESS.
	Kind        string `json:"kind"`
	Fingerprint string `json:"fingerprint"`
	Issuer      string `json:"issuer,omitempty"`
	Subject     string `json:"subject,omitempty"`
	TrustedRoot any    `json:"trustedRoot,omitempty"`
}
