package advisory_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

func TestRule37VersionsAreOrderedByTheRulesOfTheirEcosystem(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, ecosystem, ordered string }{
		{"numbers are no text", "npm", "1.2.0 1.9.0 1.10.0"},
		{"a pre-release comes before its release", "npm", "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta 1.0.0-rc.1 1.0.0"},
		{"a build is no order", "npm", "1.0.0+a = 1.0.0+b"},
		{"a v in front is no order", "Go", "v1.2.3 = 1.2.3"},
		{"pseudo-versions", "Go", "v0.0.0-20200101000000-aaaaaaaaaaaa v0.0.0-20210101000000-000000000000 v0.1.0"},
		{"incompatible", "Go", "v2.0.0+incompatible = 2.0.0"},
		{"releases of Go", "Go", "go1.20.9 go1.21rc2 go1.21rc3 go1.21 go1.21.1 1.22.0"},
		{"releases of Go with experiments", "Go", "go1.21.1 X:boringcrypto,arenas = 1.21.1 = go1.21.1 (Red Hat 1.21.1-2.el9)"},
		{"PEP 440", "PyPI", "1.0.dev1 1.0a1 1.0b2 1.0rc1 1.0 1.0.post1 1.1 1!0.1"},
		{"PEP 440 pads", "PyPI", "1.0 = 1.0.0 = v1.0"},
		{"Maven's qualifiers", "Maven", "1.0-alpha-1 1.0-beta-1 1.0-rc1 1.0-SNAPSHOT 1.0 1.0-sp1 1.0.1"},
		{"Maven's finals", "Maven", "1.0 = 1.0.Final = 1.0.0-ga"},
		{"gems", "RubyGems", "1.0.a 1.0.b1 1.0 1.0.1"},
		{"NuGet has four numbers", "NuGet", "1.0.0-beta 1.0.0 1.0.0.1 1.0.1"},
		{"Composer", "Packagist", "1.0.0-alpha1 1.0.0-beta1 1.0.0-RC1 1.0.0 1.0.0-p1 1.0.1"},
		{"Debian's tilde and epoch", "Debian:12", "1.0~rc1-1 1.0-1 1.0-1+deb12u1 1.0-2 1:0.5-1"},
		{"Ubuntu", "Ubuntu:22.04:LTS", "5.15.0-9.1 5.15.0-25.25 5.15.0-100.110"},
		{"Alpine", "Alpine:v3.18", "1.2.3_alpha1-r0 1.2.3-r0 1.2.3-r1 1.2.3_p1-r0 1.2.4-r0"},
		{"RPM", "Red Hat:enterprise_linux:9::baseos", "1.1.1k-5.el8 1.1.1k-12.el8 3.0.7~rc1-1.el9 3.0.7-18.el9_2 1:1.0-1"},
		{"an RPM of another distribution", "Azure Linux:3", "1.0-1 1.0-2 1.10-1"},
		{"actions", "GitHub Actions", "v3 v3.0.1 v4.1.0"},
		{"Julia counts builds", "Julia", "3.0.14+1 3.0.15-rc1+2 3.0.15+0 3.0.15+1 3.0.15+10 3.1+1"},
		{"Pub counts builds", "Pub", "1.0.0-dev 1.0.0+1 1.0.0+2 1.0.1"},
		{"crates", "crates.io", "0.9.0 0.10.0-pre 0.10.0"},
		{"Hackage", "Hackage", "0.9 0.9.1 0.10"},
		{"CRAN", "CRAN", "1.0-1 1.0-2 1.1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			versions, want := strings.Split(c.ordered, " "), -1
			if strings.Contains(c.ordered, " = ") {
				versions, want = strings.Split(c.ordered, " = "), 0
			}
			for i := range len(versions) - 1 {
				for j := i + 1; j < len(versions); j++ {
					a, b := versions[i], versions[j]
					if got, err := advisory.Compare(c.ecosystem, a, b); err != nil || got != want {
						t.Errorf("%s and %s: got %d, %v, want %d", a, b, got, err, want)
					}
					if got, err := advisory.Compare(c.ecosystem, b, a); err != nil || got != -want {
						t.Errorf("%s and %s: got %d, %v, want %d", b, a, got, err, -want)
					}
				}
			}
		})
	}
}

func TestRule37WhatIsNoVersionIsNotGuessed(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, ecosystem, version string }{
		{"nothing", "npm", ""},
		{"a tag", "npm", "latest"},
		{"a wish", "npm", "^1.2.3"},
		{"a wildcard", "npm", "1.2.x"},
		{"a fourth number", "npm", "1.2.3.4"},
		{"a commit", "GitHub Actions", "8f4b7f84864484a7bf31766abe9204da3cbe65b3"},
		{"a build from a folder", "Go", "(devel)"},
		{"a version before PEP 440", "PyPI", "2004d"},
		{"a placeholder", "Maven", "${project.version}"},
		{"a property that holds a number", "Maven", "${log4j2.version}"},
		{"a newest release", "Maven", "RELEASE"},
		{"a branch", "Packagist", "dev-main"},
		{"a branch with a number", "Packagist", "1.0.x-dev"},
		{"an unknown ecosystem", "Moon", "1.0.0"},
		{"a megabyte", "Maven", strings.Repeat("1", 1<<20)},
		{"a control character", "Debian", "1.0\x00"},
		{"an escape sequence", "Maven", "1.0\x1b[31m"},
		{"bytes that are not UTF-8", "Maven", "1.0\xff"},
		{"an epoch that is none", "Debian", "a:1.0-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]string{{c.version, "1.0.0"}, {"1.0.0", c.version}} {
				got, err := advisory.Compare(c.ecosystem, pair[0], pair[1])
				if err == nil || got != 0 {
					t.Fatalf("ordered: %d", got)
				}
				if said := err.Error(); len(said) > 2048 || strings.ContainsAny(said, "\x00\x1b") || !utf8.ValidString(said) {
					t.Errorf("the error repeats what it was given: %q", said)
				}
			}
		})
	}
}

func FuzzCompare(f *testing.F) {
	for _, seed := range [][3]string{
		{"npm", "1.2.3-rc.1", "1.2.3"},
		{"PyPI", "1!1.0rc1.post2.dev3+local.1", "1.0"},
		{"Maven", "1.0-alpha-1", "1-SNAPSHOT"},
		{"Debian", "1:2~3-4", "2"},
		{"Alpine", "1.2.3_alpha1-r2", "1.2a"},
		{"Red Hat", "1:2^3-4.el9", "2~1"},
		{"RubyGems", "1.a.2", "1..2"},
		{"Packagist", "1.0-p1", "1.0RC1"},
		{"NuGet", "1.2.3.4-b", "1"},
		{"CRAN", "1-2.3", "1"},
		{"Hackage", "1.2", "1.02"},
		{"Go", "go1.21rc2", "v0.0.0-20200101000000-aaaaaaaaaaaa"},
		{"Pub", "1.0.0+1", "1.0.0"},
		{"Maven", "1..", "1.-"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, ecosystem, a, b string) {
		order, err := advisory.Compare(ecosystem, a, b)
		back, backErr := advisory.Compare(ecosystem, b, a)
		if (err == nil) != (backErr == nil) {
			t.Fatalf("%s: %q and %q: %v, and back %v", ecosystem, a, b, err, backErr)
		}
		if err == nil && order != -back {
			t.Fatalf("%s: %q and %q: %d, and back %d", ecosystem, a, b, order, back)
		}
		if same, err := advisory.Compare(ecosystem, a, a); err == nil && same != 0 {
			t.Fatalf("%s: %q is not itself: %d", ecosystem, a, same)
		}
	})
}
