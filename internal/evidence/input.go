package evidence

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/version"
)

const (
	// MaxSize is the size in bytes of the largest envelope or document that is taken.
	MaxSize = 32 << 20
	// MaxSubjects is how many subjects a document may speak of. Those of a statement are bounded by attest.MaxSubjects.
	MaxSubjects = 1000
	// MaxDigests is how many digests of subjects a statement may give in all.
	MaxDigests = 20_000
)

// SubmitEvidenceInput is evidence to take: something signed or a document, not both.
type SubmitEvidenceInput struct {
	// Envelope is something signed, as JSON text of at most MaxSize bytes: a DSSE envelope around an in-toto statement, a
	// Sigstore bundle, or a GitHub attestation.
	Envelope *string
	Document *EvidenceDocumentInput
	// Provider is the tool or partner it comes from, at most 255 characters.
	Provider *string
}

// EvidenceDocumentInput is a document without a signature.
type EvidenceDocumentInput struct {
	// MediaType is its media type; see docs/evidence.md for what is read.
	MediaType string
	// PredicateType says what kind of document it is when that does not follow from media type and content. It is then
	// kept as it is and not read.
	PredicateType *string
	// Content is the text, byte for byte; at most MaxSize bytes.
	Content string
	// Subjects are what it speaks of: 1 to MaxSubjects. An image index speaks of itself and needs none.
	Subjects []*EvidenceSubjectInput
}

// EvidenceSubjectInput is what a document speaks of, said in exactly one way beside the hints: a name, and a purl where the
// digest is given, too.
type EvidenceSubjectInput struct {
	// Name is a hint for people; at most 255 characters.
	Name               *string
	Digest             *string
	Purl               *string
	ApplicationVersion *version.ApplicationVersionRefInput
	Build              *build.BuildRefInput
}

// SubmitEvidenceBatchInput is up to MaxBatch pieces of evidence to take, each by itself.
type SubmitEvidenceBatchInput struct {
	Items []*SubmitEvidenceInput
}

// EvidenceFilter says which evidence to list. What is given must all hold; of the values in one list, one.
type EvidenceFilter struct {
	// Subject is a digest that it speaks of, "algorithm:hex"; Purl a purl.
	Subject        *string
	Purl           *string
	PredicateTypes []string
	Categories     []string
	// Signers are aliases of trust anchors, or what an unknown signer's key is called.
	Signers  []string
	Verified *bool
	From, To *time.Time
	// ApplicationKeys holds for evidence about a version of one of them, or about something in one.
	ApplicationKeys []string
	Stages          []string
}

// AddTrustAnchorInput is a trust anchor to add.
type AddTrustAnchorInput struct {
	// Alias is what policies call it: 1 to 255 characters, unique.
	Alias string
	// PublicKey is one PEM block; see attest.ParsePublicKey. It or Keyless is given.
	PublicKey *string
	Keyless   *KeylessIdentityInput
	// ValidFrom is the first instant at which its signatures count, ValidTo the one after the last. Nil is no bound.
	ValidFrom, ValidTo *time.Time
}

// KeylessIdentityInput is an identity that a certificate authority vouches for at each signature.
type KeylessIdentityInput struct {
	// Issuer is the OpenID Connect issuer, exactly.
	Issuer string
	// Subject is the certificate's subject, in which "*" stands for any characters.
	Subject string
	// TrustedRoot is a Sigstore trusted root as JSON text.
	TrustedRoot string
}

// RevokeTrustAnchorInput is a trust anchor to revoke.
type RevokeTrustAnchorInput struct {
	Alias string
}

// check holds the input to what can be said without reading the envelope or the document.
func (in SubmitEvidenceInput) check() error {
	if (in.Envelope == nil) == (in.Document == nil) {
		return fault.At("input", "give exactly one of envelope and document")
	}
	if in.Provider != nil {
		if err := check.Line("input.provider", *in.Provider, 0, check.MaxName); err != nil {
			return err
		}
	}
	if in.Envelope != nil {
		return checkSize("input.envelope", *in.Envelope)
	}
	return in.Document.check()
}

// maxPredicateType bounds the URI of a predicate type that is given for a document, in characters.
const maxPredicateType = 1024

func (d *EvidenceDocumentInput) check() error {
	if d.PredicateType != nil {
		if err := check.Line("input.document.predicateType", *d.PredicateType, 1, maxPredicateType); err != nil {
			return err
		}
	}
	if err := checkSize("input.document.content", d.Content); err != nil {
		return err
	}
	if err := check.List("input.document.subjects", len(d.Subjects), MaxSubjects); err != nil {
		return err
	}
	for i, s := range d.Subjects {
		if err := s.check(fmt.Sprintf("input.document.subjects.%d", i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *EvidenceSubjectInput) check(path string) error {
	ways := 0
	// Beside a digest a purl is a hint, like the name.
	for _, given := range []bool{s.Digest != nil, s.Purl != nil && s.Digest == nil, s.ApplicationVersion != nil, s.Build != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return fault.At(path, "give exactly one of digest, purl, build and applicationVersion, got %d", ways)
	}
	if s.Name != nil {
		if err := check.Line(path+".name", *s.Name, 0, check.MaxName); err != nil {
			return err
		}
	}
	if s.Digest != nil {
		return check.Digest(path+".digest", *s.Digest)
	}
	return nil
}

func checkSize(path, text string) error {
	if len(text) > MaxSize {
		return fault.At(path, "at most %d bytes (32 MiB) are taken, got %d", MaxSize, len(text))
	}
	return nil
}
