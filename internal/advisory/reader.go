package advisory

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads JSON piece by piece and keeps only what is asked for. Its errors name the place.
type reader struct{ in *jsontext.Decoder }

func newReader(b []byte) *reader { return &reader{in: jsontext.NewDecoder(bytes.NewBuffer(b))} }

// object reads an object: each member by its function, others not at all. A member that is null is one that is missing.
func (r *reader) object(members map[string]func() error) error {
	if err := r.open('{', "an object"); err != nil {
		return err
	}
	for r.in.PeekKind() == '"' {
		token, err := r.in.ReadToken()
		if err != nil {
			return err
		}
		read := members[token.String()]
		if read == nil || r.in.PeekKind() == 'n' {
			read = r.in.SkipValue
		}
		if err := read(); err != nil {
			return err
		}
	}
	_, err := r.in.ReadToken()
	return err
}

// list reads each entry of a list.
func (r *reader) list(each func() error) error {
	if err := r.open('[', "a list"); err != nil {
		return err
	}
	for kind := r.in.PeekKind(); kind != ']' && kind != 0; kind = r.in.PeekKind() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := r.in.ReadToken()
	return err
}

func (r *reader) open(kind jsontext.Kind, what string) error {
	if found := r.in.PeekKind(); found != kind && found != 0 {
		return r.unexpected(what)
	}
	_, err := r.in.ReadToken()
	return err
}

// unexpected skips the next value, so that the place is its own and not that of the one before.
func (r *reader) unexpected(what string) error {
	if err := r.in.SkipValue(); err != nil {
		return err
	}
	return r.wrong("must be %s", what)
}

// wrong is an error at the value that was read last.
func (r *reader) wrong(format string, args ...any) error {
	return fmt.Errorf("%s: %s", r.place(), fmt.Sprintf(format, args...))
}

// place is the path of the value that was read last, such as affected[0].package.name.
func (r *reader) place() string {
	var path strings.Builder
	for token := range r.in.StackPointer().Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			fmt.Fprintf(&path, "[%s]", token)
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(cut(visible(token), MaxID))
	}
	if path.Len() == 0 {
		return "the document"
	}
	return path.String()
}

func (r *reader) text() (string, error) {
	if kind := r.in.PeekKind(); kind != '"' && kind != 0 {
		return "", r.unexpected("a string")
	}
	token, err := r.in.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

// word reads an identifier, a name or a version: not blank, on one line, at most limit bytes long.
func (r *reader) word(into *string, limit int) func() error {
	return func() error {
		s, err := r.text()
		switch {
		case err != nil:
			return err
		case strings.TrimSpace(s) == "":
			return r.wrong("is blank")
		case len(s) > limit:
			return r.wrong("is %d bytes long; at most %d are read", len(s), limit)
		case strings.ContainsFunc(s, unicode.IsControl):
			return r.wrong("holds a control character")
		}
		*into = s
		return nil
	}
}

// words reads a list of at most count words.
func (r *reader) words(into *[]string, count, limit int) func() error {
	return func() error {
		return r.list(func() error {
			var s string
			if err := r.word(&s, limit)(); err != nil {
				return err
			}
			if len(*into) == count {
				return r.wrong("is one too many; at most %d are read", count)
			}
			*into = append(*into, s)
			return nil
		})
	}
}

// prose reads free text, cut to limit bytes.
func (r *reader) prose(into *string, limit int) func() error {
	return func() error {
		s, err := r.text()
		*into = cut(visible(s), limit)
		return err
	}
}

// instant reads a time as RFC 3339 writes it.
func (r *reader) instant(into *time.Time) func() error {
	return func() error {
		s, err := r.text()
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return r.wrong("must be a time like 2006-01-02T15:04:05Z, not %q", cut(s, MaxID))
		}
		*into = at.UTC()
		return nil
	}
}

// visible drops the control characters that no text needs and no database takes.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, s)
}

// cut shortens a text to at most limit bytes, at the border of a character, and shows that it did.
func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-len(ellipsis)], "") + ellipsis
}
