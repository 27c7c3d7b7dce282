package catalog

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// The limits of a file of owners.
const (
	// MaxOwnersFile is how long it may be, in bytes.
	MaxOwnersFile = 1 << 20
	// maxOwnersRules is how many lines or entities it may have, and maxWildcards how many of the lines may hold a "*":
	// each of these is held against each application.
	maxOwnersRules, maxWildcards = 10_000, 500
	maxOwnersPattern             = 255
)

// ownersRule is what a file says of applications: who answers for those whose key the pattern fits. Of the rules that fit
// an application the last counts.
type ownersRule struct {
	pattern string
	// owners are canonical references, each once; none leaves the application without an owner.
	owners []string
}

func (r ownersRule) wild() bool { return strings.Contains(r.pattern, "*") }

// fits tells whether a key fits the pattern, in which "*" stands for any characters, none included.
func (r ownersRule) fits(key string) bool {
	parts := strings.Split(r.pattern, "*")
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(key, parts[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// parseOwners reads a file of owners in one of the two formats.
func parseOwners(format, content string) ([]ownersRule, error) {
	switch {
	case len(content) > MaxOwnersFile:
		return nil, fault.At("input.content", "the file is %d bytes long; at most %d are allowed: split it", len(content), MaxOwnersFile)
	case !utf8.ValidString(content):
		return nil, fault.At("input.content", "the file is not valid UTF-8; send it in that encoding")
	}
	content = strings.TrimPrefix(content, "\uFEFF")
	switch format {
	case "CODEOWNERS":
		return parseCodeowners(content)
	case "BACKSTAGE":
		return parseBackstage(content)
	}
	return nil, fault.At("input.format", "a file of owners is CODEOWNERS or BACKSTAGE; give one of them")
}

// atLine is a fault of one line of the file.
func atLine(line int, format string, args ...any) error {
	return fault.At("input.content", "line %d: %s", line, fmt.Sprintf(format, args...))
}

func checkPattern(line int, pattern string) error {
	if len(pattern) > maxOwnersPattern {
		return atLine(line, "the name is %d bytes long; at most %d are allowed", len(pattern), maxOwnersPattern)
	}
	return nil
}
