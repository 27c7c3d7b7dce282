package evidence

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	// MaxSize is the size in bytes of the largest envelope or document that is taken.
	MaxSize = 32 << 20
	// MaxSubjects is how many subjects a document may speak of. Those of a statement are bounded by attest.MaxSubjects.
	MaxSubjects = 1000
	// MaxDigests is how many digests of subjects a statement may give in all.
	MaxDigests = 20_000
)

// SubmitEvidenceInput is evidence to take: an envelope or a document, not both.
type SubmitEvidenceInput struct {
	// Envelope is a DSSE envelope around an in-toto statement, as JSON text; at most MaxSize bytes.
	Envelope *string
	Document *EvidenceDocumentInput
	// Provider is the tool or partner it comes from, at most 255 characters.
	Provider *string
}

// EvidenceDocumentInput is a document without a signature.
type EvidenceDocumentInput struct {
	// MediaType is "application/vnd.cyclonedx+json" or "application/spdx+json".
	MediaType string
	// Content is the text, byte for byte; at most MaxSize bytes.
	Content string
	// Subjects are what it speaks of: 1 to MaxSubjects.
	Subjects []*EvidenceSubjectInput
}

// EvidenceSubjectInput is what a document speaks of, said in exactly one way beside the hints: a name, and a purl where the
// digest is given, too.
type EvidenceSubjectInput struct {
	// Name is a hint for people; at most 255 characters.
	Name               *string
	Digest             *string
	Purl               *string
	ApplicationVersion *ApplicationVersionRefInput
}

// ApplicationVersionRefInput is an application version by its names.
type ApplicationVersionRefInput struct {
	ApplicationKey string
	Version        string
}

// AddTrustAnchorInput is a trust anchor to add.
type AddTrustAnchorInput struct {
	// Alias is what policies call it: 1 to 255 characters, unique.
	Alias string
	// PublicKey is one PEM block; see attest.ParsePublicKey.
	PublicKey string
	// ValidFrom is the first instant at which its signatures count, ValidTo the one after the last. Nil is no bound.
	ValidFrom, ValidTo *time.Time
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

func (d *EvidenceDocumentInput) check() error {
	if err := checkSize("input.document.content", d.Content); err != nil {
		return err
	}
	if len(d.Subjects) == 0 {
		return fault.At("input.document.subjects", "a document needs at least one subject: say what it speaks of")
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
	for _, given := range []bool{s.Digest != nil, s.Purl != nil && s.Digest == nil, s.ApplicationVersion != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return fault.At(path, "give exactly one of digest, purl and applicationVersion, got %d", ways)
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
