// Package attest signs what the server says and verifies what others say: in-toto Statements in DSSE envelopes, handed
// out as Sigstore bundles v0.3 that stock cosign and slsa-verifier accept offline. It verifies those of registered keys,
// and those of registered keyless identities under the trusted root that each was registered with.
//
// It is an engine: bytes in, values out. It keeps nothing, asks no clock and opens no connection; the only file it ever
// touches is the signing key. Sizes of inputs are the caller's to bound, shapes and counts are bounded here.
package attest

// Predicate types of the statements the server signs.
const (
	// PredicateVSA is the SLSA Verification Summary, used unextended.
	PredicateVSA = "https://slsa.dev/verification_summary/v1"
	// PredicateRelease carries the application context and the decision of a release.
	PredicateRelease = "https://plimsoll.dev/attestations/release/v1"
	// PredicatePromotion carries the decision that let a version into a stage.
	PredicatePromotion = "https://plimsoll.dev/attestations/promotion/v1"
	// PredicateManifest says that a version's contents were locked.
	PredicateManifest = "https://plimsoll.dev/attestations/manifest/v1"
	// PredicateStatus changes the standing of something signed before.
	PredicateStatus = "https://plimsoll.dev/attestations/status/v1"
)

// Names the formats give themselves.
const (
	// PayloadType is the DSSE payload type of every in-toto statement, whichever its version.
	PayloadType = "application/vnd.in-toto+json"
	// BundleMediaType is the media type of a Sigstore bundle v0.3.
	BundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// StatementV1 is the type of an in-toto Statement v1, the only one the server signs.
	StatementV1 = "https://in-toto.io/Statement/v1"
	// StatementV01 is the type of an in-toto Statement v0.1, still written by many tools.
	StatementV01 = "https://in-toto.io/Statement/v0.1"
)

// Limits on what is read from outside. Lengths are in bytes.
const (
	// MaxDepth is how deep the JSON of an envelope, a bundle or a statement may be nested.
	MaxDepth = 64
	// MaxSubjects is how many subjects one statement may have.
	MaxSubjects = 16_384
	// MaxSubjectDigests is how many digests, by different algorithms, one subject may have.
	MaxSubjectDigests = 16
	// MaxSignatures is how many signatures one envelope may have.
	MaxSignatures = 16
	// MaxSignatureSize is how long one decoded signature may be.
	MaxSignatureSize = 8 << 10

	maxPayloadType   = 256
	maxKeyID         = 1024
	maxPredicateType = 512
	maxSubjectText   = 2048
	maxOpaqueDigest  = 256
	maxAlgorithm     = 64
	maxPublicKeyPEM  = 16 << 10
)
