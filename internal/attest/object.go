package attest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// object is one JSON object with its members still raw. Members are looked up by their exact name: encoding/json's
// structs match names in any case, so {"payload": A, "Payload": B} would mean A to one reader and B to another.
type object map[string]json.RawMessage

// parseDocument reads outside bytes as one strict JSON object.
func parseDocument(b []byte) (object, error) {
	if err := canonical.Check(b, MaxDepth); err != nil {
		return nil, err
	}
	return parseObject(b, "")
}

// parseObject reads one JSON object that parseDocument has found strict. Path names it in errors; empty for the document.
func parseObject(b json.RawMessage, path string) (object, error) {
	if !startsWith(b, '{') {
		return nil, at(path, "must be a JSON object")
	}
	o, err := canonical.Members(b)
	if err != nil {
		return nil, at(path, "not a JSON object: %v", err)
	}
	return o, nil
}

// parseArray reads one JSON array of at most limit elements.
func parseArray(b json.RawMessage, path string, limit int) ([]json.RawMessage, error) {
	if !startsWith(b, '[') {
		return nil, at(path, "must be a JSON array")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, at(path, "not a JSON array: %v", err)
	}
	if len(list) == 0 {
		return nil, at(path, "must not be empty")
	}
	if len(list) > limit {
		return nil, at(path, "has %d elements, at most %d are allowed", len(list), limit)
	}
	return list, nil
}

// text returns the string member called name: required, not empty, at most limit bytes long (0: any length).
func (o object) text(name, path string, limit int) (string, error) {
	if _, ok := o[name]; !ok {
		return "", at(path, "missing")
	}
	s, err := o.optionalText(name, path, limit)
	if err == nil && s == "" {
		err = at(path, "must not be empty")
	}
	return s, err
}

// optionalText is text for a member that may be missing or empty.
func (o object) optionalText(name, path string, limit int) (string, error) {
	raw, ok := o[name]
	if !ok {
		return "", nil
	}
	if !startsWith(raw, '"') {
		return "", at(path, "must be a string")
	}
	s, err := unquote(raw)
	if err != nil {
		return "", at(path, "not a string: %v", err)
	}
	if limit > 0 && len(s) > limit {
		return "", at(path, "is %d bytes long, at most %d are allowed", len(s), limit)
	}
	return s, nil
}

// unquote reads a JSON string of a strict document. One without escapes stands there as it is, and payloads of megabytes
// have none: they are not scanned a third time.
func unquote(raw json.RawMessage) (string, error) {
	if text := bytes.TrimSpace(raw); len(text) >= 2 && bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

func startsWith(b []byte, c byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == c
}

// at makes an error that begins with the path of the field it is about.
func at(path, format string, args ...any) error {
	if path == "" {
		return fmt.Errorf(format, args...)
	}
	return fmt.Errorf(path+": "+format, args...)
}
