package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object whose members keep the order in which they were written, so that what is shown reads well.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		b.WriteString(strconv.Quote(m.name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// maxShown is how many bytes of a text are shown in variables; longer ones are documents, of which the size says more.
const maxShown = 72

// compact writes variables on one line, with names as GraphQL writes them and long texts shortened.
func compact(v any) string {
	switch v := v.(type) {
	case object:
		parts := make([]string, len(v))
		for i, m := range v {
			parts[i] = m.name + ": " + compact(m.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []object:
		return compactList(v)
	case []string:
		return compactList(v)
	case string:
		return strconv.Quote(brief(v))
	default:
		return fmt.Sprint(v)
	}
}

func compactList[T any](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = compact(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// brief shortens digests to what people compare, and documents to how they begin and their size.
func brief(s string) string {
	const digest = len("sha256:") + 64
	if strings.HasPrefix(s, "sha256:") && len(s) == digest {
		return s[:len("sha256:")+12] + "…"
	}
	if len(s) <= maxShown {
		return s
	}
	head := s[:24]
	if i := strings.IndexByte(head, '\n'); i > 0 {
		head = head[:i]
	}
	for !utf8.ValidString(head) {
		head = head[:len(head)-1]
	}
	return head + "… " + size(len(s))
}

func size(bytes int) string {
	if bytes < 10_000 {
		return strconv.Itoa(bytes) + " bytes"
	}
	return strconv.Itoa((bytes+500)/1000) + " kB"
}
