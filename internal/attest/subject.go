package attest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// minSubjectLiteral is how many characters of a pattern must stand for themselves. A shorter one is a slip, and trusts
// half the world.
const minSubjectLiteral = 4

// CheckSubjectPattern refuses a pattern that no identity should be registered with. A pattern is the whole subject of a
// certificate (a workflow's address, an e-mail address), literally, in which * stands for any run of characters, slashes
// too. One that ends in "acme*" therefore takes "acme-evil/…" as well; "acme/*" does not.
func CheckSubjectPattern(pattern string) error {
	if pattern == "" {
		return errors.New("must not be empty")
	}
	if len(pattern) > maxSubjectText {
		return fmt.Errorf("is %d bytes long, at most %d are allowed", len(pattern), maxSubjectText)
	}
	if !utf8.ValidString(pattern) {
		return errors.New("is not valid UTF-8")
	}
	for _, sign := range []string{".*", ".+", `\`} {
		if strings.Contains(pattern, sign) {
			return fmt.Errorf("has %q, as a regular expression has; write the subject as it is, with * for any run of characters", sign)
		}
	}
	if strings.HasPrefix(pattern, "^") || strings.HasSuffix(pattern, "$") {
		return errors.New("begins with ^ or ends with $, as a regular expression does; a pattern always matches the whole subject")
	}
	if utf8.RuneCountInString(strings.ReplaceAll(pattern, "*", "")) < minSubjectLiteral {
		return fmt.Errorf("has fewer than %d characters besides *, and would match too many signers", minSubjectLiteral)
	}
	return nil
}

// matchSubject tells whether the whole subject is what the pattern describes. It looks for the parts between the stars
// from left to right, so it is linear in the subject for each part.
func matchSubject(pattern, subject string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return subject == pattern
	}
	if len(subject) < len(first)+len(last) || !strings.HasPrefix(subject, first) || !strings.HasSuffix(subject, last) {
		return false
	}
	rest := subject[len(first) : len(subject)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return true
}
