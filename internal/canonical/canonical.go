// Package canonical gives JSON one spelling, so that the same content has the same digest on any machine.
//
// The spelling is the JSON Canonicalization Scheme (RFC 8785): keys sorted by UTF-16 code units, no white space,
// numbers as ECMAScript prints them. Digests are written "sha256:" followed by 64 lower-case hexadecimal digits.
package canonical

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
)

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// JSON marshals v and returns its RFC 8785 form. It fails on values that JSON cannot carry.
func JSON(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal for canonical JSON: %w", err)
	}
	return Normalize(b)
}

// Normalize returns the RFC 8785 form of one JSON value. It fails on duplicate keys and invalid UTF-8, which have
// no canonical form. The argument is not changed.
func Normalize(b []byte) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(b))
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return v, nil
}

// Digest returns the SHA-256 of b as "sha256:<hex>".
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// IsDigest tells whether s is written as Digest writes it.
func IsDigest(s string) bool { return digestPattern.MatchString(s) }

// Check reads b as exactly one JSON value and fails, naming the place, when it is not strict JSON: duplicate keys,
// invalid UTF-8, nesting deeper than maxDepth, or anything after the value. It allocates no tree, so that bytes
// from outside can be refused before a parser builds one.
func Check(b []byte, maxDepth int) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(b)) // which it reads in place
	values := 0
	for {
		_, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("not valid JSON: %w", err)
		}
		if d.StackDepth() > maxDepth {
			return fmt.Errorf("JSON is nested deeper than %d levels at byte %d", maxDepth, d.InputOffset())
		}
		if d.StackDepth() == 0 {
			values++
		}
	}
	if values != 1 {
		return fmt.Errorf("expected one JSON value, found %d", values)
	}
	return nil
}

// Members splits a JSON object that Check has found good into its members. The values are parts of b.
func Members(b []byte) (map[string]json.RawMessage, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // it was checked
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, errors.Join(errors.New("not a JSON object"), err)
	}
	members := map[string]json.RawMessage{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // the token ends with the next call
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		end := d.InputOffset()
		members[key] = json.RawMessage(b[end-int64(len(value)) : end : end])
	}
	return members, nil
}
