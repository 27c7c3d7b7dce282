// Package check holds the limits of what callers send: keys, names, labels, texts, lists and digests. Every refusal is
// a BAD_USER_INPUT fault that names the field, says the limit and what to do. Lengths count Unicode code points.
//
// The package belongs to no domain and knows none; a domain adds what only it can know.
package check

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// The limits, in code points for texts and in elements for lists.
const (
	MinKey, MaxKey                     = 2, 64
	MaxName                            = 255
	MaxLabelPart                       = 255
	MaxLabels                          = 100
	MaxVersion, MaxTag                 = 128, 128
	MinJustification, MaxJustification = 10, 2000
)

// First returns the first of the errors that is not nil: the one about the field that comes first.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Key refuses what is not the key of a project or an application: 2 to 64 of a–z, 0–9 and "-", starting with a letter
// and not ending with "-".
func Key(path, s string) error {
	ok := len(s) >= MinKey && len(s) <= MaxKey && lower(s[0]) && s[len(s)-1] != '-'
	for i := 0; ok && i < len(s); i++ {
		ok = lower(s[i]) || s[i] >= '0' && s[i] <= '9' || s[i] == '-'
	}
	if !ok {
		return fault.At(path, "a key is %d to %d characters and matches ^[a-z][a-z0-9-]*[a-z0-9]$; give one like \"web-shop\"", MinKey, MaxKey)
	}
	return nil
}

func lower(c byte) bool { return c >= 'a' && c <= 'z' }

// Name refuses what is not 1 to 255 characters on one line.
func Name(path, s string) error { return Line(path, s, 1, MaxName) }

// Version refuses what is not a version string: 1 to 128 characters on one line.
func Version(path, s string) error { return Line(path, s, 1, MaxVersion) }

// Tag refuses what is not a tag: at most 128 characters on one line.
func Tag(path, s string) error { return Line(path, s, 0, MaxTag) }

// Justification refuses what is not 10 to 2,000 characters of text.
func Justification(path, s string) error { return Text(path, s, MinJustification, MaxJustification) }

// Label refuses a label whose key or value is not 1 to 255 characters that start and end with a letter or digit. Path is
// the label's; the fault names its key or its value.
func Label(path, key, value string) error {
	return First(labelPart(path+".key", key), labelPart(path+".value", value))
}

func labelPart(path, s string) error {
	if err := Line(path, s, 1, MaxLabelPart); err != nil {
		return err
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	// A letter may be written as several code points, of which the last is a mark.
	if !alphanumeric(first) || !alphanumeric(last) && !unicode.IsMark(last) {
		return fault.At(path, "a label's key and value start and end with a letter or digit; remove what stands around them")
	}
	return nil
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Line refuses what is not shortest to longest characters on one line: no control characters, no line separators, none
// of the characters that turn the direction of writing and so make one name look like another.
func Line(path, s string, shortest, longest int) error {
	if err := text(path, s, shortest, longest); err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || disguises(r) }) {
		return fault.At(path, "one line of visible characters is needed; remove line breaks, control characters and marks that turn the direction of writing")
	}
	return nil
}

// Text refuses what is not shortest to longest characters of text. Line breaks and tabs are text; other control characters
// are not.
func Text(path, s string, shortest, longest int) error {
	if err := text(path, s, shortest, longest); err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return fault.At(path, "the text holds control characters; remove all but line breaks and tabs")
	}
	return nil
}

func text(path, s string, shortest, longest int) error {
	if !utf8.ValidString(s) {
		return fault.At(path, "the text is not valid UTF-8; send it in that encoding")
	}
	n := utf8.RuneCountInString(s)
	switch {
	case n > longest:
		return fault.At(path, "at most %d characters are allowed and %d were given; shorten it", longest, n)
	case n < shortest:
		return fault.At(path, "at least %d %s needed and %d given; add to it", shortest, plural(shortest, "character is", "characters are"), n)
	case shortest > 0 && strings.TrimSpace(s) == "":
		return fault.At(path, "it is blank; give at least %d %s", shortest, plural(shortest, "visible character", "characters"))
	}
	return nil
}

// disguises tells whether r is a line separator or one of the Unicode characters that override or isolate direction.
func disguises(r rune) bool {
	return r == 0x2028 || r == 0x2029 || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// List refuses a list of n elements when longest are allowed.
func List(path string, n, longest int) error {
	if n > longest {
		return fault.At(path, "at most %d elements are allowed and %d were given; send fewer", longest, n)
	}
	return nil
}

// Digest refuses what is not "sha256:" and 64 hexadecimal digits in lower case.
func Digest(path, s string) error {
	hex, ok := strings.CutPrefix(s, "sha256:")
	ok = ok && len(hex) == 64
	for i := 0; ok && i < len(hex); i++ {
		ok = hex[i] >= '0' && hex[i] <= '9' || hex[i] >= 'a' && hex[i] <= 'f'
	}
	if !ok {
		return fault.At(path, "a digest is sha256: and 64 hexadecimal digits in lower case; give it in that form")
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
