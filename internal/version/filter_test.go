package version_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/version"
)

func TestPatternsMatchAsPeopleExpect(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "aa", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "any/thing", true},
		{"?", "", false},
		{"?", "é", true},
		{"?", "ab", false},
		{"pkg:npm/*", "pkg:npm/%40acme/login@1", true},
		{"*@1", "pkg:npm/a@1", true},
		{"*@1", "pkg:npm/a@11", false},
		{"a*b*c", "a--b--b-c", true},
		{"a*b*c", "a--c--b", false},
		{"**a", "ba", true},
		{"a.c", "abc", false},
		{"[a]", "a", false},
		{strings.Repeat("?", 255), strings.Repeat("x", 255), true},
		{strings.Repeat("?", 255), strings.Repeat("x", 256), false},
		{strings.Repeat("a", 254) + "*", strings.Repeat("a", 1000), true},
		{"*ß*", "Straße", true},
	} {
		if got := version.Matches(c.pattern, c.text); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

// FuzzPattern compares with the regular expression that says the same.
func FuzzPattern(f *testing.F) {
	f.Add("a*?b*", "a--b\n")
	f.Add("*a?*?a*", "aaaaaaaaaaaab")
	f.Add("é?*", "é\u2028")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || utf8.RuneCountInString(pattern) > 255 {
			t.Skip("what is checked before")
		}
		var re strings.Builder
		for _, r := range pattern {
			switch r {
			case '*':
				re.WriteString(".*")
			case '?':
				re.WriteString(".")
			default:
				re.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		if want := regexp.MustCompile(`\A(?s:` + re.String() + `)\z`).MatchString(text); version.Matches(pattern, text) != want {
			t.Errorf("%q matches %q: want %v", pattern, text, want)
		}
	})
}
