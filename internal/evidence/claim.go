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
)

// envelopeMediaType is the registered media type of a DSSE envelope.
const envelopeMediaType = "application/vnd.dsse.envelope.v1+json"

// claim is what was sent, read: what it says and of what, before anyone has judged who says it.
type claim struct {
	path      string // of the field it came in
	raw       []byte // as it came
	mediaType string

	envelope      attest.Envelope // without signatures when it is a document
	digest        string          // of the payload: the statement, or the document
	predicateType string
	predicate     json.RawMessage // part of the payload, nil when there is none; the document itself
	subjects      []subject       // each once, in the order of the document
}

type subject struct{ name, digest string }

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

// readEnvelope reads a signed statement. Every failure is a BAD_USER_INPUT fault.
func readEnvelope(text string) (claim, error) {
	const path = "input.envelope"
	c := claim{path: path, raw: []byte(text), mediaType: envelopeMediaType}
	var err error
	if c.envelope, err = attest.ParseEnvelope(c.raw); err != nil {
		return claim{}, fault.At(path, "refused: this is not a DSSE envelope: %v", err)
	}
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
			list = append(list, subject{name, digest})
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

// signed tells whether the claim came in an envelope.
func (c claim) signed() bool { return len(c.envelope.Signatures) > 0 }

// keyID is the name by which the signer calls its key: the first that is not empty.
func (c claim) keyID() string {
	for _, s := range c.envelope.Signatures {
		if s.KeyID != "" {
			return s.KeyID
		}
	}
	return ""
}
