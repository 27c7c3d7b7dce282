package check_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const path = "input.x"

func TestRule01_Keys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"ab", "a1", "web-shop", "a--b", "a" + strings.Repeat("0", 63)} {
		if err := check.Key(path, key); err != nil {
			t.Errorf("%q is refused: %v", key, err)
		}
	}
	cases := []struct{ name, key string }{
		{"nothing", ""},
		{"one character", "a"},
		{"65 characters", "a" + strings.Repeat("0", 64)},
		{"a digit at the start", "1a"},
		{"a dash at the start", "-ab"},
		{"a dash at the end", "ab-"},
		{"an upper-case letter", "Ab"},
		{"an underscore", "a_b"},
		{"a dot", "a.b"},
		{"a space", "a b"},
		{"a line break at the end", "ab\n"},
		{"a letter beyond ASCII", "größe"},
		{"a letter that looks like a", "\u0430b"},
		{"a NUL byte", "a\x00b"},
		{"bytes that are not UTF-8", "a\xffb"},
	}
	for _, c := range cases {
		t.Run(c.name+" is no key", func(t *testing.T) {
			t.Parallel()
			refused(t, check.Key(path, c.key), path, "2 to 64")
		})
	}
}

func TestRule02_Limits(t *testing.T) {
	t.Parallel()
	name := func(s string) error { return check.Name(path, s) }
	version := func(s string) error { return check.Version(path, s) }
	tag := func(s string) error { return check.Tag(path, s) }
	why := func(s string) error { return check.Justification(path, s) }
	digest := func(s string) error { return check.Digest(path, s) }

	taken := []struct {
		name string
		err  error
	}{
		{"a name of 255 characters of four bytes each", name(strings.Repeat("🚢", 255))},
		{"a name of one letter", name("é")},
		{"an emoji of several code points", name("👩‍🚀")},
		{"a version of 128 characters", version(strings.Repeat("1", 128))},
		{"an empty tag", tag("")},
		{"a justification of 10 characters", why("0123456789")},
		{"a justification of two lines", why("first line\r\n\tsecond line")},
		{"a digest", digest("sha256:" + strings.Repeat("0f", 32))},
		{"100 elements of 100", check.List(path, 100, 100)},
		{"a label in another script", check.Label(path, "команда", "платежи 2")},
		{"a label that ends with a combining mark", check.Label(path, "cafe\u0301", "a")},
	}
	for _, c := range taken {
		if c.err != nil {
			t.Errorf("%s is refused: %v", c.name, c.err)
		}
	}

	cases := []struct {
		name string
		err  error
		says string
	}{
		{"an empty name", name(""), "at least 1 character"},
		{"a blank name", name(" \u00a0"), "blank"},
		{"a name of 256 characters", name(strings.Repeat("é", 256)), "at most 255"},
		{"a name of two lines", name("a\nb"), "line breaks"},
		{"a name with a NUL byte", name("a\x00b"), "control characters"},
		{"a name with a C1 control character", name("a\u0085b"), "control characters"},
		{"a name with a line separator", name("a\u2028b"), "line breaks"},
		{"a name that is written backwards", name("a\u202eb"), "direction"},
		{"a name that is not UTF-8", name("a\xffb"), "UTF-8"},
		{"a version of 129 characters", version(strings.Repeat("1", 129)), "at most 128"},
		{"an empty version", version(""), "at least 1 character"},
		{"a tag of 129 characters", tag(strings.Repeat("1", 129)), "at most 128"},
		{"a justification of 9 characters", why("too short"), "at least 10 characters"},
		{"a justification of blanks", why(strings.Repeat(" ", 20)), "blank"},
		{"a justification of 2,001 characters", why(strings.Repeat("a", 2001)), "at most 2000"},
		{"a justification with an escape", why("0123456789\x1b[2J"), "control characters"},
		{"a digest without its algorithm", digest(strings.Repeat("0", 64)), "64 hexadecimal"},
		{"a digest in upper case", digest("sha256:" + strings.Repeat("0F", 32)), "lower case"},
		{"a short digest", digest("sha256:00"), "64 hexadecimal"},
		{"another algorithm", digest("sha512:" + strings.Repeat("0", 64)), "sha256"},
		{"101 elements of 100", check.List(path, 101, 100), "at most 100"},
	}
	for _, c := range cases {
		t.Run(c.name+" is refused", func(t *testing.T) {
			t.Parallel()
			refused(t, c.err, path, c.says)
		})
	}
}

func TestRule02_Labels(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, key, value, at, says string }{
		{"an empty key", "", "v", "input.x.key", "at least 1"},
		{"an empty value", "k", "", "input.x.value", "at least 1"},
		{"a key of 256 characters", strings.Repeat("k", 256), "v", "input.x.key", "at most 255"},
		{"a value of 256 characters", "k", strings.Repeat("v", 256), "input.x.value", "at most 255"},
		{"a key that starts with a dash", "-k", "v", "input.x.key", "letter or digit"},
		{"a key that ends with a dot", "k.", "v", "input.x.key", "letter or digit"},
		{"a value that starts with a space", "k", " v", "input.x.value", "letter or digit"},
		{"a value that is a sign", "k", "*", "input.x.value", "letter or digit"},
		{"a value that starts with a combining mark", "k", "\u0301a", "input.x.value", "letter or digit"},
		{"a value of two lines", "k", "a\nb", "input.x.value", "line breaks"},
	}
	for _, c := range cases {
		t.Run(c.name+" is refused", func(t *testing.T) {
			t.Parallel()
			refused(t, check.Label(path, c.key, c.value), c.at, c.says)
		})
	}
}

func TestFirstGivesTheFirstThatFails(t *testing.T) {
	t.Parallel()
	if err := check.First(nil, nil); err != nil {
		t.Error(err)
	}
	if err := check.First(nil, check.Key("input.a", ""), check.Key("input.b", "")); !strings.HasPrefix(err.Error(), "input.a") {
		t.Error(err)
	}
}

func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"", "a", "web-shop", "a\x00", "\xff", "é\u202e", "\u2028", "👩‍🚀", "a\nb", "sha256:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if check.Key(path, s) == nil && (check.Name(path, s) != nil || check.Label(path, s, s) != nil) {
			t.Errorf("%q is a key and yet no name or label", s)
		}
		if check.Name(path, s) == nil && check.Text(path, s, 1, check.MaxName) != nil {
			t.Errorf("%q is a name and yet no text", s)
		}
		if check.Name(path, s) == nil && strings.ContainsAny(s, "\x00\n\r\u202e") {
			t.Errorf("%q is a name", s)
		}
	})
}

func refused(t *testing.T, err error, at, says string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault", err)
	}
	if f.Kind != fault.BadInput || f.Path != at || !strings.Contains(f.Message, says) {
		t.Errorf("got %s at %q: %q; want %s at %q saying %q", f.Kind, f.Path, f.Message, fault.BadInput, at, says)
	}
}
