package bom

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// shape is what is read of a JSON value: its kind and, of an object, the members that are kept.
type shape struct {
	kind jsontext.Kind // '"', '{' or '['
	// members of an object; others are skipped.
	members map[string]*shape
	// required names the members an object cannot do without.
	required []string
	// element of an array, and how many of them there may be in the whole document, under which name.
	element *shape
	limit   *limit
	// rewrite, when set, replaces the value by what it gives; nil drops the value. Used where what is kept depends on
	// what the value says.
	rewrite func(jsontext.Value) (jsontext.Value, error)
}

// limit counts what a document holds of one thing.
type limit struct {
	what string
	max  int
	seen int
}

func (l *limit) count() error {
	l.seen++
	if l.seen > l.max {
		return fmt.Errorf("the document holds more than %d %s", l.max, l.what)
	}
	return nil
}

func text() *shape { return &shape{kind: '"'} }

func object(members map[string]*shape, required ...string) *shape {
	return &shape{kind: '{', members: members, required: required}
}

func array(element *shape, l *limit) *shape {
	return &shape{kind: '[', element: element, limit: l}
}

// reduce copies what s keeps of a document that canonical.Check has passed. Members that are null are dropped, which
// is how the formats' libraries read them.
func reduce(content []byte, s *shape) ([]byte, error) {
	var out bytes.Buffer
	// From a buffer the decoder reads in place. Names were checked to be there once.
	once := jsontext.AllowDuplicateNames(true)
	r := reducer{in: jsontext.NewDecoder(bytes.NewBuffer(content), once), out: jsontext.NewEncoder(&out, once)}
	if err := r.value(s); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

type reducer struct {
	in  *jsontext.Decoder
	out *jsontext.Encoder
}

func (r *reducer) value(s *shape) error {
	if kind := r.in.PeekKind(); kind != s.kind {
		// Peeking does not move: read the value so that the place is its own and not that of the one before.
		if err := r.in.SkipValue(); err != nil {
			return err
		}
		return fmt.Errorf("%s: expected %s, found %s", r.place(), nameOf(s.kind), nameOf(kind))
	}
	switch {
	case s.rewrite != nil:
		raw, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		raw, err = s.rewrite(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", r.place(), err)
		}
		if raw == nil {
			return nil
		}
		return r.out.WriteValue(raw)
	case s.kind == '{':
		return r.object(s)
	case s.kind == '[':
		return r.array(s)
	}
	return r.copyToken()
}

func (r *reducer) object(s *shape) error {
	if err := r.copyToken(); err != nil {
		return err
	}
	found := make(map[string]bool, len(s.required))
	for r.in.PeekKind() != '}' {
		token, err := r.in.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		member := s.members[name]
		if member == nil || r.in.PeekKind() == 'n' {
			if err := r.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		found[name] = true
		if err := r.out.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := r.value(member); err != nil {
			return err
		}
	}
	if err := r.copyToken(); err != nil {
		return err
	}
	for _, name := range s.required {
		if !found[name] {
			return fmt.Errorf("%s: the member %q is missing", r.place(), name)
		}
	}
	return nil
}

func (r *reducer) array(s *shape) error {
	if err := r.copyToken(); err != nil {
		return err
	}
	for r.in.PeekKind() != ']' {
		if err := s.limit.count(); err != nil {
			return err
		}
		if err := r.value(s.element); err != nil {
			return err
		}
	}
	return r.copyToken()
}

func (r *reducer) copyToken() error {
	token, err := r.in.ReadToken()
	if err != nil {
		return err
	}
	return r.out.WriteToken(token)
}

// place is the JSON Pointer of what was read last.
func (r *reducer) place() string {
	if pointer := string(r.in.StackPointer()); pointer != "" {
		return pointer
	}
	return "the document"
}

func nameOf(kind jsontext.Kind) string {
	switch kind {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "nothing"
	}
}
