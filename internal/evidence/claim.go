package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/objects"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// Media types of what is signed.
const (
	envelopeMediaType = "application/vnd.dsse.envelope.v1+json"
	bundleMediaType   = "application/vnd.dev.sigstore.bundle+json"
)

// signatureType is the predicate type of a signature that comes without a statement: it says that somebody signed the
// subject, and nothing else. It is the one that cosign gives its own.
const signatureType = "https://sigstore.dev/cosign/sign/v1"

// claim is what was sent, read: what it says and of what, before anyone has judged who says it.
type claim struct {
	path      string          // of the field it came in
	raw       []byte          // as it came; nil for a document that is kept as it is
	staged    *objects.Staged // what goes to the object store; nil when raw goes into the database
	mediaType string

	envelope      attest.Envelope // without signatures when it is a document
	bundle        *attest.Bundle  // nil when it came in no Sigstore bundle
	digest        string          // of the payload: the statement, or the document
	predicateType string
	predicate     json.RawMessage // part of the payload, nil when there is none; the document itself
	subjects      []subject       // each once, in the order of the document
}

// subject is a digest; the name is a hint, and so is the purl, empty when there is none.
type subject struct{ name, digest, purl string }

// saidSubjects stands in the place of a signer for a document, whose digest does not cover what it is said to speak of:
// the same document about something else is other evidence.
func (c claim) saidSubjects() string {
	digests := make([]string, len(c.subjects))
	for i, s := range c.subjects {
		digests[i] = s.digest
	}
	slices.Sort(digests)
	return saidPrefix + canonical.Digest([]byte(strings.Join(slices.Compact(digests), "\n")))
}

// saidPrefix tells the subjects of a document from the key of a signer.
const saidPrefix = "subjects:"

// readSigned reads something signed: an envelope or a bundle. Every failure is a BAD_USER_INPUT fault.
func readSigned(path string, raw []byte) (claim, error) {
	if attest.IsBundle(raw) {
		return readBundle(path, raw)
	}
	c := claim{path: path, raw: raw, mediaType: envelopeMediaType}
	var err error
	if c.envelope, err = attest.ParseEnvelope(raw); err != nil {
		return claim{}, fault.At(path, "refused: this is not a DSSE envelope: %v", err)
	}
	return c.withStatement()
}

// readBundle reads a Sigstore bundle. One without a statement speaks of what it signs.
func readBundle(path string, raw []byte) (claim, error) {
	b, err := attest.ParseBundle(raw)
	if err != nil {
		return claim{}, fault.At(path, "refused: this is not a Sigstore bundle: %v", err)
	}
	c := claim{path: path, raw: raw, mediaType: bundleMediaType, bundle: &b}
	if b.Envelope != nil {
		c.envelope = *b.Envelope
		return c.withStatement()
	}
	c.digest, c.predicateType, c.subjects = b.Digest, signatureType, []subject{{digest: b.Digest}}
	return c, nil
}

// withStatement reads the statement in the claim's envelope.
func (c claim) withStatement() (claim, error) {
	path := c.path
	if c.envelope.PayloadType != attest.PayloadType {
		return claim{}, fault.At(path, "refused: the payload type is %q; an envelope around an in-toto statement, %s, is taken", c.envelope.PayloadType, attest.PayloadType)
	}
	for i, s := range c.envelope.Signatures {
		if err := storable(path, fmt.Sprintf("signatures[%d].keyid", i), s.KeyID); err != nil {
			return claim{}, err
		}
	}
	statement, err := attest.ParseStatement(c.envelope.Payload)
	if err != nil {
		return claim{}, fault.At(path, "refused: the payload is not an in-toto statement: %v", err)
	}
	if err := storable(path, "predicateType", statement.PredicateType); err != nil {
		return claim{}, err
	}
	c.digest = canonical.Digest(c.envelope.Payload)
	c.predicateType, c.predicate = statement.PredicateType, statement.Predicate
	if c.subjects, err = subjectsOf(path, statement); err != nil {
		return claim{}, err
	}
	return c, nil
}

// subjectsOf gives a line for each digest of each subject, "algorithm:value".
func subjectsOf(path string, st attest.Statement) ([]subject, error) {
	var list []subject
	for i, s := range st.Subject {
		name := s.Name
		if name == "" {
			name = s.URI
		}
		if err := storable(path, fmt.Sprintf("subject[%d].name", i), name); err != nil {
			return nil, err
		}
		for _, algorithm := range slices.Sorted(maps.Keys(s.Digest)) {
			digest := algorithm + ":" + s.Digest[algorithm]
			if err := storable(path, fmt.Sprintf("subject[%d].digest", i), digest); err != nil {
				return nil, err
			}
			list = append(list, subject{name, digest, purlOf(s.URI, s.Name)})
		}
	}
	if list = once(list); len(list) > MaxDigests {
		return nil, fault.At(path, "refused: subject: at most %d digests are taken, got %d", MaxDigests, len(list))
	}
	return list, nil
}

func once(list []subject) []subject {
	seen := make(map[subject]bool, len(list))
	return slices.DeleteFunc(list, func(s subject) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
}

// storable refuses control characters in what becomes a column: Postgres cannot keep all of them, and they serve nothing
// but to disguise.
func storable(path, field, text string) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fault.At(path, "refused: %s: holds a control character", field)
	}
	return nil
}

// matchable are the subjects' digests that things here are known by: SHA-256, each once, sorted.
func (c claim) matchable() []string {
	var list []string
	for _, s := range c.subjects {
		if canonical.IsDigest(s.digest) {
			list = append(list, s.digest)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// purlOf gives the first of the texts that is a purl, in its canonical form.
func purlOf(texts ...string) string {
	for _, text := range texts {
		if strings.HasPrefix(text, "pkg:") {
			if p, err := purl.Parse(text); err == nil {
				return p.String()
			}
		}
	}
	return ""
}

// size is how many bytes came.
func (c claim) size() int {
	if c.staged != nil {
		return int(c.staged.Size)
	}
	return len(c.raw)
}

// signed tells whether the claim came with a signature.
func (c claim) signed() bool { return c.bundle != nil || len(c.envelope.Signatures) > 0 }

// keyID is the name by which the signer calls its key, the first that is not empty, or the subject of its certificate.
func (c claim) keyID() string {
	if c.bundle != nil && c.bundle.Keyless() {
		_, subject := c.bundle.Claims()
		return subject
	}
	if c.bundle != nil && c.bundle.Envelope == nil {
		return c.bundle.Signature.KeyID
	}
	for _, s := range c.envelope.Signatures {
		if s.KeyID != "" {
			return s.KeyID
		}
	}
	return ""
}
