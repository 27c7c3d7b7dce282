package push

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// indexType is the media type of OCI image indexes, which say by themselves what they speak of.
const indexType = "application/vnd.oci.image.index.v1+json"

// marks are the members by which JSON is told apart. Whether it is what it looks like is for the server to say.
type marks struct {
	Payload       json.RawMessage   `json:"payload"`
	PayloadType   json.RawMessage   `json:"payloadType"`
	Signatures    json.RawMessage   `json:"signatures"`
	MediaType     json.RawMessage   `json:"mediaType"`
	Attestations  []json.RawMessage `json:"attestations"`
	Attestation   json.RawMessage   `json:"attestation"`
	Bundle        json.RawMessage   `json:"bundle"`
	BundleURL     json.RawMessage   `json:"bundle_url"`
	SchemaVersion json.RawMessage   `json:"schemaVersion"`
	Manifests     json.RawMessage   `json:"manifests"`
}

// read reads the first object of a text; what is none has no marks.
func read(text []byte) marks {
	var m marks
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&m); err != nil {
		return marks{}
	}
	return m
}

// isSigned tells whether the content looks like an envelope, a bundle, or a list or lines of them.
func isSigned(content []byte) bool {
	text := bytes.TrimLeft(content, " \t\r\n")
	if len(text) > 0 && text[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil || len(list) == 0 {
			return false
		}
		return read(list[0]).signed()
	}
	return read(text).signed()
}

func (m marks) signed() bool {
	switch {
	case m.Payload != nil && m.PayloadType != nil && m.Signatures != nil, attest.IsBundle(m.Bundle), read(m.Attestation).Bundle != nil:
		return true
	case len(m.Attestations) > 0:
		first := read(m.Attestations[0])
		return first.Bundle != nil || first.BundleURL != nil
	}
	return strings.HasPrefix(string(m.MediaType), `"application/vnd.dev.sigstore.bundle`)
}

// isIndex tells whether the content is an OCI image index.
func isIndex(content []byte) bool {
	m := read(content)
	return string(m.MediaType) == `"`+indexType+`"` || m.MediaType == nil && string(m.SchemaVersion) == "2" && m.Manifests != nil
}

// mediaTypeOf gives the media type of a document that nobody named. The server finds out what JSON, XML and text hold.
func mediaTypeOf(path string, content []byte) string {
	switch extension := strings.ToLower(filepath.Ext(path)); {
	case isIndex(content):
		return indexType
	case extension == ".json" || extension == ".sarif" || bytes.HasPrefix(bytes.TrimLeft(content, " \t\r\n"), []byte("{")):
		return "application/json"
	case extension == ".xml":
		return "application/xml"
	case utf8.Valid(content):
		return "text/plain"
	}
	return "application/octet-stream"
}
