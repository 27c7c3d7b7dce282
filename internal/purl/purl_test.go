package purl_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/purl"
)

func TestParseGivesTheCanonicalForm(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, want, without string }{
		{"a Go module is lower case", "pkg:golang/github.com/BurntSushi/toml@v1.6.0", "pkg:golang/github.com/burntsushi/toml@v1.6.0", "pkg:golang/github.com/burntsushi/toml"},
		{"a build suffix is encoded", "pkg:golang/github.com/a/b@v2.0.0+incompatible", "pkg:golang/github.com/a/b@v2.0.0%2Bincompatible", "pkg:golang/github.com/a/b"},
		{"encoded slashes of a Go module are separators", "pkg:golang/github.com%2Fspf13%2Fcobra@v1.0.0", "pkg:golang/github.com/spf13/cobra@v1.0.0", "pkg:golang/github.com/spf13/cobra"},
		{"an npm scope is encoded", "pkg:npm/@babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0", "pkg:npm/%40babel/core"},
		{"an npm scope whose slash was encoded is a scope", "pkg:npm/%40babel%2Fcore@7.0.0", "pkg:npm/%40babel/core@7.0.0", "pkg:npm/%40babel/core"},
		{"a PyPI name is lower case with dashes", "pkg:pypi/Django_allauth@1.0", "pkg:pypi/django-allauth@1.0", "pkg:pypi/django-allauth"},
		{"type and scheme are lower case", "PKG:NPM/express@4.0.0", "pkg:npm/express@4.0.0", "pkg:npm/express"},
		{"slashes after the scheme are dropped", "pkg://npm/express@4.0.0", "pkg:npm/express@4.0.0", "pkg:npm/express"},
		{"qualifiers are sorted and empty ones dropped", "pkg:deb/debian/curl@7.50?distro=jessie&arch=i386&x=", "pkg:deb/debian/curl@7.50?arch=i386&distro=jessie", "pkg:deb/debian/curl"},
		{"qualifier keys are lower case, values as they are", "pkg:rpm/fedora/curl@1?Arch=I386", "pkg:rpm/fedora/curl@1?arch=I386", "pkg:rpm/fedora/curl"},
		{"empty segments are dropped", "pkg:golang//github.com//a/b#/x//y/", "pkg:golang/github.com/a/b#x/y", "pkg:golang/github.com/a/b"},
		{"an empty version is no version", "pkg:npm/express@", "pkg:npm/express", "pkg:npm/express"},
		{"a Maven name keeps its case", "pkg:maven/org.Apache/Commons@1", "pkg:maven/org.Apache/Commons@1", "pkg:maven/org.Apache/Commons"},
		{"an epoch stays a colon", "pkg:deb/debian/a@1%3A2.3", "pkg:deb/debian/a@1:2.3", "pkg:deb/debian/a"},
		{"letters beyond ASCII are encoded", "pkg:generic/größe@1", "pkg:generic/gr%C3%B6%C3%9Fe@1", "pkg:generic/gr%C3%B6%C3%9Fe"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := purl.Parse(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.String(); got != c.want {
				t.Errorf("String: got %s, want %s", got, c.want)
			}
			if got := p.WithoutVersion(); got != c.without {
				t.Errorf("WithoutVersion: got %s, want %s", got, c.without)
			}
			if p.HasVersion() != strings.Contains(c.want, "@") {
				t.Errorf("HasVersion: got %t for %s", p.HasVersion(), c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, want string }{
		{"nothing", "", "scheme"},
		{"another scheme", "https://example.com/a", "scheme"},
		{"a type alone", "pkg:npm", "missing type or name"},
		{"no name", "pkg:npm/", "missing name"},
		{"a version without a name", "pkg:npm/@1.0.0", "missing name"},
		{"a blank name", "pkg:npm/%20@1.0.0", "blank"},
		{"a type that starts with a digit", "pkg:3d/a", "type"},
		{"a type of other letters", "pkg:npм/a", "type"},
		{"broken percent-encoding", "pkg:npm/a%zz", "escape"},
		{"a NUL byte in the name", "pkg:npm/a%00b", "control character"},
		{"a newline in the version", "pkg:npm/a@1%0A2", "control character"},
		{"bytes that are not UTF-8", "pkg:npm/a%FF", "not UTF-8"},
		{"a qualifier twice", "pkg:npm/a?arch=x&arch=y", "duplicate"},
		{"a qualifier key with a space", "pkg:npm/a?a%20b=x", "qualifier"},
		{"a subpath that climbs", "pkg:npm/a#../b", "subpath"},
		{"a subpath that climbs later", "pkg:npm/a#b/../../c", "subpath"},
		{"a Swift package without its host", "pkg:swift/Alamofire@5", "namespace"},
		{"too many bytes", "pkg:npm/" + strings.Repeat("a", purl.MaxLength), "at most 1024"},
		{"too many bytes once encoded", "pkg:npm/" + strings.Repeat("!", 400), "canonical form"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := purl.Parse(c.in)
			if err == nil {
				t.Fatalf("accepted as %s", p)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error %q does not say %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"pkg:golang/github.com/BurntSushi/toml@v1.6.0?type=module&goos=linux#sub/dir",
		"pkg:npm/%40scope%2Fname@1", "pkg:npm/@a/b", "pkg:golang/%2F%2Fa%2F@1", "pkg:pypi/A_b", "pkg:deb/debian/a@1%3A2?arch=x",
		"pkg:maven/a/b%2Fc@1", "pkg:generic/%C4%B0", "pkg:huggingface/A/B@DEADBEEF", "pkg:mlflow/A?repository_url=databricks",
		"pkg:npm/a%", "pkg:", "pkg:a/b#%2E%2E", "pkg:cpan/A/B::C", "pkg:npm/a?=b", "pkg:npm/a@1@2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := purl.Parse(in)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without a sentence")
			}
			return
		}
		text := p.String()
		if len(text) > purl.MaxLength {
			t.Fatalf("%q gave %d bytes", in, len(text))
		}
		again, err := purl.Parse(text)
		if err != nil {
			t.Fatalf("%q gave %q, which is refused: %v", in, text, err)
		}
		if again.String() != text {
			t.Fatalf("%q gave %q, then %q", in, text, again)
		}
		whole, err := purl.Parse(p.WithoutVersion())
		if err == nil && (whole.HasVersion() || whole.WithoutVersion() != p.WithoutVersion()) {
			t.Fatalf("%q: the identity %q is not stable", in, p.WithoutVersion())
		}
	})
}
