package attest_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func TestCheckSubjectPattern(t *testing.T) {
	for _, good := range []string{
		workflow, "release@acme.example", "https://github.com/acme/*", "*@acme.example", "https://*/acme/*@refs/tags/v*", "a*b*cd",
	} {
		if err := attest.CheckSubjectPattern(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for pattern, want := range map[string]string{
		"":                              "must not be empty",
		"*":                             "fewer than 4 characters",
		"**a**b*c**":                    "fewer than 4 characters",
		"^https://github.com/acme/":     "whole subject",
		"https://github.com/acme/shop$": "whole subject",
		"https://github.com/acme/.*":    "regular expression",
		"https://github.com/acme/.+":    "regular expression",
		`https://github\.com/acme`:      "regular expression",
		"https://github.com/\xff":       "UTF-8",
		strings.Repeat("a", 10_000):     "at most",
	} {
		wantError(t, attest.CheckSubjectPattern(pattern), want)
	}
}

func TestAPatternMatchesTheWholeSubject(t *testing.T) {
	s := newSigstore(t)
	b := parsed(t, s.attest(t, workflow))
	c := identity(s.root(t, "tlog"))
	for pattern, want := range map[string]bool{
		workflow:                                true,
		workflow + "*":                          true,
		"*" + workflow:                          true,
		"https://*/acme/*@refs/heads/*":         true,
		"https://github.com/*release*main*":     true,
		"*refs/heads/main":                      true,
		workflow[1:]:                            false,
		workflow + "x":                          false,
		"https://github.com/acme":               false,
		"https://github.com/*main*release.yml*": false,
		"*refs/heads/main/*":                    false,
		workflow + "*" + workflow:               false,
		"https://GitHub.com/acme/*":             false,
		// The two ends must not share a character.
		workflow[:len(workflow)-2] + "*" + workflow[len(workflow)-3:]: false,
	} {
		c.Subject = pattern
		v, err := attest.VerifyKeyless(b, []attest.KeylessCandidate{c})
		if err != nil || v.Verified != want {
			t.Errorf("%s: %+v, %v", pattern, v, err)
		}
	}
}
