package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// failure keeps the first thing that is wrong with a document. A reader reads on and asks at the end.
type failure struct{ err error }

// field is a value of a JSON document that is read, with the path to it. A value that is missing or null is read as
// empty.
type field struct {
	failure *failure
	path    string
	raw     json.RawMessage
}

// openJSON checks a document as a whole and gives its root.
func openJSON(content []byte) (field, *failure) {
	f := &failure{err: refusePacked(content)}
	content = withoutMark(content)
	if f.err == nil {
		f.err = canonical.Check(content, MaxDepth)
	}
	root := field{failure: f, raw: bytes.TrimSpace(content)}
	if f.err == nil && !root.is('{') {
		f.err = fmt.Errorf("must be a JSON object")
	}
	if f.err != nil {
		root.raw = nil
	}
	return root, f
}

func (f field) given() bool { return len(f.raw) > 0 && !bytes.Equal(f.raw, []byte("null")) }

// is tells the kind of value by its first byte.
func (f field) is(first byte) bool { return len(f.raw) > 0 && f.raw[0] == first }

// wrong keeps an error unless there is one.
func (f field) wrong(format string, args ...any) {
	if f.failure.err == nil {
		message := fmt.Sprintf(format, args...)
		if f.path != "" {
			message = f.path + ": " + message
		}
		f.failure.err = fmt.Errorf("%s", message)
	}
}

// required complains when the value is missing.
func (f field) required() field {
	if !f.given() {
		f.wrong("missing")
	}
	return f
}

// object gives the members that are named, of which those that are not there are empty.
func (f field) object(names ...string) map[string]field {
	members := make(map[string]field, len(names))
	for _, name := range names {
		members[name] = field{failure: f.failure, path: join(f.path, name)}
	}
	f.pairs(func(name string, value field) {
		if _, wanted := members[name]; wanted {
			members[name] = value
		}
	})
	return members
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// pairs gives each member of an object.
func (f field) pairs(visit func(name string, value field)) {
	if f.given() && !f.is('{') {
		f.wrong("must be an object")
	}
	if !f.is('{') {
		return
	}
	d := jsontext.NewDecoder(bytes.NewReader(f.raw))
	if _, err := d.ReadToken(); err != nil {
		f.wrong("%s", err)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			f.wrong("%s", err)
			return
		}
		key := name.String() // before the value is read, which overwrites it
		value, err := d.ReadValue()
		if err != nil {
			f.wrong("%s", err)
			return
		}
		visit(key, field{failure: f.failure, path: join(f.path, scanText(key)), raw: bytes.Clone(value)})
	}
}

// each gives each entry of a list and returns their number.
func (f field) each(visit func(entry field)) int {
	if f.given() && !f.is('[') {
		f.wrong("must be a list")
	}
	if !f.is('[') {
		return 0
	}
	d := jsontext.NewDecoder(bytes.NewReader(f.raw))
	if _, err := d.ReadToken(); err != nil {
		f.wrong("%s", err)
	}
	n := 0
	for ; d.PeekKind() != ']' && f.failure.err == nil; n++ {
		value, err := d.ReadValue()
		if err != nil {
			f.wrong("%s", err)
			return n
		}
		visit(field{failure: f.failure, path: f.path + "[" + strconv.Itoa(n) + "]", raw: bytes.Clone(value)})
	}
	return n
}

// text reads a string, cut to MaxText.
func (f field) text() string {
	if !f.given() {
		return ""
	}
	var s string
	if !f.is('"') || json.Unmarshal(f.raw, &s) != nil {
		f.wrong("must be a string")
	}
	return scanText(s)
}

// texts reads a list of strings, cut to MaxEntries.
func (f field) texts() []string {
	list := []string{}
	f.each(func(entry field) {
		if s := entry.required().text(); len(list) < MaxEntries {
			list = append(list, s)
		}
	})
	return list
}

// instant reads a time as RFC 3339 writes it; nil when there is none.
func (f field) instant() *time.Time {
	s := f.text()
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		f.wrong("must be a time like 2006-01-02T15:04:05Z, not %q", s)
		return nil
	}
	t = t.UTC()
	return &t
}

// number reads a number that is not negative and at most the largest.
func (f field) number(largest float64) float64 {
	if !f.given() {
		return 0
	}
	n, err := strconv.ParseFloat(string(f.raw), 64)
	if err != nil || !(n >= 0 && n <= largest) {
		f.wrong("must be a number between 0 and %.0f", largest)
		return 0
	}
	return n
}

// count reads a whole number between 0 and maxCount.
func (f field) count() int64 {
	n := f.number(maxCount)
	if n != float64(int64(n)) {
		f.wrong("must be a whole number")
	}
	return int64(n)
}
