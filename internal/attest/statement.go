package attest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Statement is an in-toto Statement v1 (or v0.1, when it was read): a predicate about subjects.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	// Predicate is the raw JSON of the predicate; empty when a statement that was read has none.
	Predicate json.RawMessage `json:"predicate,omitempty"`
}

// Subject is what a statement is about: an in-toto ResourceDescriptor. Its digests identify it; name and URI are hints.
type Subject struct {
	Name string `json:"name,omitempty"`
	URI  string `json:"uri,omitempty"`
	// Digest maps an algorithm's in-toto name, e.g. "sha256", to the digest in lower-case hexadecimal.
	Digest           map[string]string `json:"digest"`
	MediaType        string            `json:"mediaType,omitempty"`
	DownloadLocation string            `json:"downloadLocation,omitempty"`
}

// NewStatement makes an in-toto Statement v1. The predicate must marshal to a JSON object; it is kept in its canonical
// form. It fails on the subjects and predicate types that ParseStatement refuses.
func NewStatement(subjects []Subject, predicateType string, predicate any) (Statement, error) {
	raw, err := canonical.JSON(predicate)
	if err != nil {
		return Statement{}, at("predicate", "%w", err)
	}
	if !startsWith(raw, '{') {
		return Statement{}, at("predicate", "must be a JSON object")
	}
	st := Statement{Type: StatementV1, Subject: subjects, PredicateType: predicateType, Predicate: raw}
	if err := st.check(); err != nil {
		return Statement{}, err
	}
	return st, nil
}

// ParseStatement reads the payload of an envelope as an in-toto Statement v1 or v0.1. It is strict about what identifies
// (type, subjects, digests, predicate type), and takes any JSON value as predicate, because unknown predicates are kept.
// Members that in-toto does not define are ignored, as its parsing rules ask. Errors name the field.
func ParseStatement(payload []byte) (Statement, error) {
	doc, err := parseDocument(payload)
	if err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	st := Statement{Predicate: doc["predicate"]}
	if st.Type, err = doc.text("_type", "_type", maxPredicateType); err != nil {
		return Statement{}, err
	}
	if st.PredicateType, err = doc.text("predicateType", "predicateType", maxPredicateType); err != nil {
		return Statement{}, err
	}
	if _, ok := doc["subject"]; !ok {
		return Statement{}, at("subject", "missing")
	}
	list, err := parseArray(doc["subject"], "subject", MaxSubjects)
	if err != nil {
		return Statement{}, err
	}
	st.Subject = make([]Subject, len(list))
	for i, raw := range list {
		if st.Subject[i], err = parseSubject(raw, fmt.Sprintf("subject[%d]", i)); err != nil {
			return Statement{}, err
		}
	}
	if err := st.check(); err != nil {
		return Statement{}, err
	}
	return st, nil
}

func parseSubject(raw json.RawMessage, path string) (Subject, error) {
	o, err := parseObject(raw, path)
	if err != nil {
		return Subject{}, err
	}
	var s Subject
	for _, f := range []struct {
		name string
		into *string
	}{{"name", &s.Name}, {"uri", &s.URI}, {"mediaType", &s.MediaType}, {"downloadLocation", &s.DownloadLocation}} {
		if *f.into, err = o.optionalText(f.name, path+"."+f.name, maxSubjectText); err != nil {
			return Subject{}, err
		}
	}
	if _, ok := o["digest"]; !ok {
		return Subject{}, at(path+".digest", "missing; a subject is matched by its digest")
	}
	digests, err := parseObject(o["digest"], path+".digest")
	if err != nil {
		return Subject{}, err
	}
	s.Digest = make(map[string]string, len(digests))
	for algorithm := range digests {
		if s.Digest[algorithm], err = digests.optionalText(algorithm, path+".digest."+clip(algorithm), 0); err != nil {
			return Subject{}, err
		}
	}
	return s, nil
}

// check holds a statement, read or made, to the rules of ParseStatement.
func (st Statement) check() error {
	if st.Type != StatementV1 && st.Type != StatementV01 {
		return at("_type", "%q is not an in-toto statement; expected %s or %s", clip(st.Type), StatementV1, StatementV01)
	}
	if st.PredicateType == "" {
		return at("predicateType", "must not be empty")
	}
	if len(st.PredicateType) > maxPredicateType {
		return at("predicateType", "is %d bytes long, at most %d are allowed", len(st.PredicateType), maxPredicateType)
	}
	if len(st.Subject) == 0 {
		return at("subject", "must not be empty")
	}
	if len(st.Subject) > MaxSubjects {
		return at("subject", "has %d elements, at most %d are allowed", len(st.Subject), MaxSubjects)
	}
	for i, s := range st.Subject {
		if err := s.check(fmt.Sprintf("subject[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (s Subject) check(path string) error {
	if len(s.Digest) == 0 {
		return at(path+".digest", "must hold at least one digest; a subject is matched by its digest")
	}
	if len(s.Digest) > MaxSubjectDigests {
		return at(path+".digest", "has %d digests, at most %d are allowed", len(s.Digest), MaxSubjectDigests)
	}
	for algorithm, value := range s.Digest {
		if algorithm == "" || len(algorithm) > maxAlgorithm {
			return at(path+".digest", "the name of an algorithm must be 1 to %d bytes long", maxAlgorithm)
		}
		if err := checkDigest(algorithm, value); err != nil {
			return at(path+".digest."+algorithm, "%w", err)
		}
	}
	return nil
}

// checkDigest refuses a digest that could never match anything: of a known algorithm, anything but lower-case
// hexadecimal of the right length. Digests of unknown algorithms are opaque.
func checkDigest(algorithm, value string) error {
	lengths := hexLengths(algorithm)
	if lengths == nil {
		if value == "" || len(value) > maxOpaqueDigest {
			return fmt.Errorf("must be 1 to %d bytes long", maxOpaqueDigest)
		}
		return nil
	}
	if strings.Trim(value, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is not lower-case hexadecimal", clip(value))
	}
	if slices.Contains(lengths, len(value)) {
		return nil
	}
	return fmt.Errorf("has %d hexadecimal digits, expected %d", len(value), lengths[0])
}

// hexLengths returns how many hexadecimal digits a digest of the algorithm may have (in-toto's digest_set), or nil when
// the algorithm is not known.
func hexLengths(algorithm string) []int {
	switch algorithm {
	case "md5":
		return []int{32}
	case "sha1", "ripemd160":
		return []int{40}
	case "gitCommit", "gitTree", "gitBlob", "gitTag":
		return []int{40, 64} // a repository hashes with SHA-1 or SHA-256
	case "sha224", "sha512_224", "sha3_224":
		return []int{56}
	case "sha256", "sha512_256", "sha3_256", "sm3":
		return []int{64}
	case "sha384", "sha3_384":
		return []int{96}
	case "sha512", "sha3_512":
		return []int{128}
	}
	return nil
}

// clip shortens text from outside so that an error quoting it stays a sentence.
func clip(s string) string { return clipTo(s, 80) }

func clipTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
