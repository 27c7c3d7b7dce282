// Package model holds the shapes that exist in the API alone: payloads, generated from the schema, and scalars.
package model

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Node is any record with an opaque id.
type Node interface{ GlobalID() string }

// MarshalDateTime writes an instant as RFC 3339 in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		fmt.Fprintf(w, "%q", t.UTC().Format(time.RFC3339Nano))
	})
}

// UnmarshalDateTime reads an instant, RFC 3339 with any offset.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, fault.At("", "want an instant as RFC 3339 text, e.g. 2026-01-31T12:00:00Z")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fault.At("", "want an instant as RFC 3339, e.g. 2026-01-31T12:00:00Z")
	}
	return t.UTC(), nil
}

// MarshalJSON writes a JSON value as it is.
func MarshalJSON(v json.RawMessage) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		if len(v) == 0 {
			v = []byte("null")
		}
		_, _ = w.Write(v) // into the answer's buffer
	})
}

// UnmarshalJSON reads any JSON value.
func UnmarshalJSON(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fault.At("", "want a JSON value")
	}
	return b, nil
}
