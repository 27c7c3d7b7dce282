package advisory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// entry writes an entry in short: "npm a 0 -1.2.7 2.0.0 =2.1.0 <3" introduces at 0, fixes at 1.2.7, introduces at 2.0.0,
// is last affected at 2.1.0 and limited at 3.
func entry(ecosystem, name, events string, versions ...string) advisory.Affected {
	a := advisory.Affected{Ecosystem: ecosystem, Name: name, Versions: versions}
	var list []advisory.Event
	for e := range strings.FieldsSeq(events) {
		kinds := map[byte]advisory.EventKind{'-': advisory.Fixed, '=': advisory.LastAffected, '<': advisory.Limit}
		if kind, ok := kinds[e[0]]; ok {
			list = append(list, advisory.Event{Kind: kind, Version: e[1:]})
		} else {
			list = append(list, advisory.Event{Kind: advisory.Introduced, Version: e})
		}
	}
	if list != nil {
		a.Ranges = []advisory.Range{{Type: advisory.RangeEcosystem, Events: list}}
	}
	return a
}

func record(entries ...advisory.Affected) advisory.Record {
	return advisory.Record{ID: "T-1", Affected: entries}
}

func packageOf(t *testing.T, url string) advisory.Package {
	t.Helper()
	p, err := purl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return advisory.PackageOf(p)
}

// said is a match in one line: why, range and fixes; or what is not decided; or "" when it is unaffected.
func said(r advisory.Record, p advisory.Package) string {
	m, ok := advisory.Affects(r, p)
	switch {
	case !ok:
		return ""
	case m.Undecided:
		return "undecided: " + m.Reason
	}
	line := m.Why + "; " + m.Range
	if len(m.Fixed) > 0 {
		line += "; fixed in " + strings.Join(m.Fixed, " ")
	}
	return line
}

func TestRule37EveryMatchSaysWhy(t *testing.T) {
	t.Parallel()
	two := record(entry("npm", "a", "0 -1.2.7 2.0.0 -2.1.3"))
	cases := []struct {
		name    string
		record  advisory.Record
		purl    string
		because string
	}{
		{"before the first fix", two, "pkg:npm/a@1.2.6", "introduced 0, fixed 1.2.7; vers:npm/<1.2.7; fixed in 1.2.7 2.1.3"},
		{"at the first fix", two, "pkg:npm/a@1.2.7", ""},
		{"between", two, "pkg:npm/a@1.9.0", ""},
		{"a pre-release of what is introduced", two, "pkg:npm/a@2.0.0-rc.1", ""},
		{"at the second introduction", two, "pkg:npm/a@2.0.0", "introduced 2.0.0, fixed 2.1.3; vers:npm/>=2.0.0|<2.1.3; fixed in 2.1.3"},
		{"a pre-release of the fix", two, "pkg:npm/a@2.1.3-rc.1", "introduced 2.0.0, fixed 2.1.3; vers:npm/>=2.0.0|<2.1.3; fixed in 2.1.3"},
		{"above everything", two, "pkg:npm/a@10.0.0", ""},
		{"another package", two, "pkg:npm/b@1.0.0", ""},
		{"another ecosystem", two, "pkg:pypi/a@1.0.0", ""},
		{"events in any order", record(entry("npm", "a", "-2.1.3 2.0.0 -1.2.7 0")), "pkg:npm/a@2.1.0", "introduced 2.0.0, fixed 2.1.3; vers:npm/>=2.0.0|<2.1.3; fixed in 2.1.3"},
		{"up to what is last affected", record(entry("npm", "a", "1.0.0 =1.4.0")), "pkg:npm/a@1.4.0", "introduced 1.0.0, last affected 1.4.0; vers:npm/>=1.0.0|<=1.4.0"},
		{"above what is last affected", record(entry("npm", "a", "1.0.0 =1.4.0")), "pkg:npm/a@1.4.1", ""},
		{"a single version", record(entry("npm", "a", "1.4.0 =1.4.0")), "pkg:npm/a@1.4.0", "introduced 1.4.0, last affected 1.4.0; vers:npm/>=1.4.0|<=1.4.0"},
		{"what is not fixed", record(entry("npm", "a", "0")), "pkg:npm/a@99.0.0", "introduced 0, not fixed; vers:npm/*"},
		{"below a limit", record(entry("npm", "a", "0 <2.0.0")), "pkg:npm/a@1.0.0", "introduced 0, not fixed, limit 2.0.0; vers:npm/<2.0.0"},
		{"at a limit", record(entry("npm", "a", "0 <2.0.0")), "pkg:npm/a@2.0.0", ""},
		{"below the highest of limits", record(entry("npm", "a", "0 <2.0.0 <3.0.0")), "pkg:npm/a@2.0.0", "introduced 0, not fixed, limit 3.0.0; vers:npm/<3.0.0"},
		{"a limit that is none", record(entry("npm", "a", "0 <2.0.0 <*")), "pkg:npm/a@2.0.0", "introduced 0, not fixed; vers:npm/*"},
		{"ranges that adjoin", record(entry("npm", "a", "0 -1.0.0 1.0.0 -1.1.0")), "pkg:npm/a@1.0.0", "introduced 1.0.0, fixed 1.1.0; vers:npm/>=1.0.0|<1.1.0; fixed in 1.1.0"},
		{"introduced and fixed at once", record(entry("npm", "a", "-1.0.0 1.0.0")), "pkg:npm/a@1.0.0", ""},
		{"a fix without an introduction", record(entry("npm", "a", "-1.0.0")), "pkg:npm/a@0.9.0", ""},
		{"a list", record(entry("npm", "a", "", "1.0.0", "1.2.0")), "pkg:npm/a@1.2.0", "listed in versions; vers:npm/1.2.0"},
		{"not in the list", record(entry("npm", "a", "", "1.0.0", "1.2.0")), "pkg:npm/a@1.1.0", ""},
		{"a list beside a range", record(entry("npm", "a", "2.0.0 -2.0.1", "1.0.0")), "pkg:npm/a@1.0.0", "listed in versions; vers:npm/1.0.0; fixed in 2.0.1"},
		{"a list that spells otherwise", record(entry("PyPI", "a", "", "1.0")), "pkg:pypi/a@1.0.0", "listed in versions; vers:pypi/1.0.0"},
		{"a list with builds, which are no order", record(entry("npm", "a", "", "1.0.0+5")), "pkg:npm/a@1.0.0%2B7", "listed in versions; vers:npm/1.0.0+7"},
		{"a list with a v", record(entry("Go", "a.io/b", "", "1.2.3")), "pkg:golang/a.io/b@v1.2.3", "listed in versions; vers:golang/v1.2.3"},
		{"fixes of several entries, nearest first", record(entry("npm", "a", "3.0.0 -3.0.1"), entry("npm", "a", "0 -1.10.0"), entry("npm", "a", "0 -1.10.0 2.0.0 -2.0.5")), "pkg:npm/a@1.9.0", "introduced 0, fixed 1.10.0; vers:npm/<1.10.0; fixed in 1.10.0 2.0.5 3.0.1"},
		{"signs in a version are encoded", record(entry("Debian:12", "a", "0 -1:2.0+deb12u1,x|y")), "pkg:deb/debian/a@1?distro=debian-12", "introduced 0, fixed 1:2.0+deb12u1,x|y; vers:deb/<1:2.0+deb12u1%2Cx%7Cy; fixed in 1:2.0+deb12u1,x|y"},
		{"a Go module", record(entry("Go", "github.com/BurntSushi/Toml", "1.0.0 -1.2.0")), "pkg:golang/github.com/BurntSushi/Toml@v1.1.0", "introduced 1.0.0, fixed 1.2.0; vers:golang/>=v1.0.0|<v1.2.0; fixed in 1.2.0"},
		{"the standard library", record(entry("Go", "stdlib", "0 -1.20.12 1.21.0-0 -1.21.5")), "pkg:golang/stdlib@1.21rc2", "introduced 1.21.0-0, fixed 1.21.5; vers:golang/>=v1.21.0-0|<v1.21.5; fixed in 1.21.5"},
		{"commits are not evaluated, the list is", record(advisory.Affected{Ecosystem: "npm", Name: "a", Versions: []string{"1.0.0"}, Ranges: []advisory.Range{{Type: advisory.RangeGit, Events: []advisory.Event{{Kind: advisory.Introduced, Version: "0"}}}}}), "pkg:npm/a@2.0.0", ""},
		{"no ecosystem, the same package URL", record(advisory.Affected{Ecosystem: "Moon", Name: "a", PURL: "pkg:generic/a", Ranges: []advisory.Range{{Type: advisory.RangeSemver, Events: []advisory.Event{{Kind: advisory.Introduced, Version: "1.0.0"}}}}}), "pkg:generic/a@1.2.0", "introduced 1.0.0, not fixed; vers:generic/>=1.0.0"},
		{"no ecosystem, another package URL", record(advisory.Affected{Ecosystem: "Moon", Name: "a", PURL: "pkg:generic/a"}), "pkg:generic/b@1.2.0", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := said(c.record, packageOf(t, c.purl)); got != c.because {
				t.Errorf("got  %q\nwant %q", got, c.because)
			}
		})
	}
}

func TestRule37WhatCannotBeComparedIsUndecided(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		entry  advisory.Affected
		purl   string
		reason string
	}{
		{"a version that is none", entry("npm", "a", "0 -1.0.0"), "pkg:npm/a@latest", `"latest" is not a version of npm`},
		{"an event that is none", entry("npm", "a", "0 -soon"), "pkg:npm/a@1.0.0", `a version in the advisory cannot be compared: "soon"`},
		{"no version", entry("npm", "a", "0 -1.0.0"), "pkg:npm/a", "the version of the package is not known"},
		{"no version, and a list", entry("npm", "a", "", "1.0.0"), "pkg:npm/a", "the version of the package is not known"},
		{"nothing but a name", entry("npm", "a", ""), "pkg:npm/a@1.0.0", "names no versions"},
		{"rules that are not known", advisory.Affected{Ecosystem: "Moon", Name: "a", PURL: "pkg:generic/a", Ranges: entry("", "", "0 -1.0.0").Ranges}, "pkg:generic/a@1.0.0", "rules are not known"},
		{"a release that is not known", entry("Debian:12", "a", "0 -2.0-1"), "pkg:deb/debian/a@1.0-1", "speaks of Debian:12, and the release"},
		{"a product without a release", entry("Red Hat:openshift:4.12", "a", "0 -2.0-1"), "pkg:rpm/redhat/a@1.0-1?distro=rhel-9.2", "speaks of Red Hat:openshift:4.12"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, ok := advisory.Affects(record(c.entry), packageOf(t, c.purl))
			if !ok || !m.Undecided || !strings.Contains(m.Reason, c.reason) {
				t.Errorf("got %t, %+v, want a reason with %q", ok, m, c.reason)
			}
		})
	}
	decided := record(entry("npm", "a", "0 -soon"), entry("npm", "a", "0 -2.0.0"))
	if m, ok := advisory.Affects(decided, packageOf(t, "pkg:npm/a@1.0.0")); !ok || m.Undecided || m.Entry != 1 {
		t.Errorf("an entry that decides comes before one that does not: %t, %+v", ok, m)
	}
	for _, version := range []string{"", "@latest"} {
		if got := said(record(entry("npm", "a", "0")), packageOf(t, "pkg:npm/a"+version)); got != "introduced 0, not fixed; vers:npm/*" {
			t.Errorf("what affects every version affects %q: %q", version, got)
		}
	}
}

func TestAReleaseOfADistributionIsAConditionOfItsOwn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		ecosystem, purl string
		want            bool
	}{
		{"Debian:12", "pkg:deb/debian/a@1.0-1?distro=debian-12", true},
		{"Debian:12", "pkg:deb/debian/a@1.0-1?distro=debian-12.4", true},
		{"Debian:12", "pkg:deb/debian/a@1.0-1?distro=bookworm", true},
		{"Debian:12", "pkg:deb/debian/a@1.0-1%2Bdeb12u1", true},
		{"Debian:12", "pkg:deb/debian/a@1.0-1?distro=debian-11", false},
		{"Debian:12", "pkg:deb/ubuntu/a@1.0-1?distro=ubuntu-22.04", false},
		{"Debian", "pkg:deb/debian/a@1.0-1", true},
		{"Ubuntu:22.04:LTS", "pkg:deb/ubuntu/a@1.0-1?distro=ubuntu-22.04", true},
		{"Ubuntu:22.04:LTS", "pkg:deb/ubuntu/a@1.0-1?distro=jammy", true},
		{"Ubuntu:Pro:18.04:LTS", "pkg:deb/ubuntu/a@1.0-1?distro=ubuntu-18.04", true},
		{"Ubuntu:Pro:FIPS:18.04:LTS", "pkg:deb/ubuntu/a@1.0-1?distro=ubuntu-18.04", false},
		{"Ubuntu:Pro:FIPS:18.04:LTS", "pkg:deb/ubuntu/a@1.0-1.fips.2?distro=ubuntu-18.04", true},
		{"Ubuntu:24.04:LTS", "pkg:deb/ubuntu/a@1.0-1?distro=ubuntu-22.04", false},
		{"Alpine:v3.18", "pkg:apk/alpine/a@1.0-r1?distro=alpine-3.18.4", true},
		{"Alpine:v3.18", "pkg:apk/alpine/a@1.0-r1?distro=3.18.4", true},
		{"Alpine:v3.18", "pkg:apk/alpine/a@1.0-r1?distro=alpine-3.1", false},
		{"Wolfi", "pkg:apk/wolfi/a@1.0-r1?distro=wolfi-20230201", true},
		{"Red Hat:enterprise_linux:9::appstream", "pkg:rpm/redhat/a@1.0-1.el9?distro=rhel-9.2", true},
		{"Red Hat:enterprise_linux:9::appstream", "pkg:rpm/redhat/a@1.0-1.el9_2", true},
		{"Red Hat:openshift:4.12::el8", "pkg:rpm/redhat/a@1.0-1.el8", true},
		{"Red Hat:rhel_eus:8.6::baseos", "pkg:rpm/redhat/a@1.0-1?distro=rhel-8.6", true},
		{"Red Hat:enterprise_linux:9::appstream", "pkg:rpm/redhat/a@1.0-1.el8", false},
		{"AlmaLinux:9", "pkg:rpm/almalinux/a@1.0-1?distro=almalinux-9.3", true},
		{"Rocky Linux:8", "pkg:rpm/rocky-linux/a@1.0-1?distro=rocky-9.3", false},
		{"SUSE:Linux Enterprise Server 15 SP4", "pkg:rpm/suse/a@1.0-1?distro=sles-15.4", true},
		{"SUSE:Linux Enterprise Server 15 SP4", "pkg:rpm/suse/a@1.0-1?distro=sles-15.5", false},
		{"openSUSE:Leap 15.4", "pkg:rpm/opensuse/a@1.0-1?distro=opensuse-leap-15.4", true},
		{"openSUSE:Tumbleweed", "pkg:rpm/opensuse/a@1.0-1?distro=opensuse-leap-15.4", false},
		{"openEuler:22.03-LTS-SP3", "pkg:rpm/openeuler/a@1.0-1?distro=openeuler-22.03-lts-sp3", true},
		{"Maven:https://repo.example/m2", "pkg:maven/a/a@1.0-1", true},
	}
	for _, c := range cases {
		name := "a"
		if strings.HasPrefix(c.ecosystem, "Maven") {
			name = "a:a"
		}
		m, ok := advisory.Affects(record(entry(c.ecosystem, name, "0 -9")), packageOf(t, c.purl))
		if ok != c.want || m.Undecided {
			t.Errorf("%s and %s: got %t, %+v, want %t", c.ecosystem, c.purl, ok, m, c.want)
		}
	}
}

func TestAWithdrawnAdvisorySpeaksOfNothing(t *testing.T) {
	t.Parallel()
	r := record(entry("npm", "a", "0"))
	p := packageOf(t, "pkg:npm/a@1.0.0")
	if _, ok := advisory.Affects(r, p); !ok {
		t.Fatal("not affected")
	}
	r.Withdrawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if m, ok := advisory.Affects(r, p); ok {
		t.Errorf("affected: %+v", m)
	}
}

// TestPackagesAndAdvisoriesMeetUnderOneKey asks both sides for their keys.
func TestPackagesAndAdvisoriesMeetUnderOneKey(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, purl      string
		ecosystem, told string // as an advisory spells them
		key             string
		version         string
	}{
		{"an npm scope", "pkg:npm/%40babel/core@7.0.0", "npm", "@babel/core", "npm:@babel/core", "7.0.0"},
		{"npm names keep their case", "pkg:npm/JSONStream@1.0.0", "npm", "JSONStream", "npm:JSONStream", "1.0.0"},
		{"a PyPI name by PEP 503", "pkg:pypi/zope.interface@5.0", "PyPI", "Zope_Interface", "PyPI:zope-interface", "5.0"},
		{"Maven's group and artifact", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "Maven", "org.apache.logging.log4j:log4j-core", "Maven:org.apache.logging.log4j:log4j-core", "2.14.1"},
		{"a Go module", "pkg:golang/github.com/Azure/go-autorest@v14.2.0", "Go", "github.com/Azure/go-autorest", "Go:github.com/azure/go-autorest", "v14.2.0"},
		{"a Go package in a module", "pkg:golang/golang.org/x/text@v0.3.7#language", "Go", "golang.org/x/text", "Go:golang.org/x/text", "v0.3.7"},
		{"a Go module in a folder of a repository", "pkg:golang/github.com/a/sdk/core/more@v1.0.0", "Go", "github.com/a/sdk/core/more", "Go:github.com/a/sdk", "v1.0.0"},
		{"the same, its folder as a subpath", "pkg:golang/github.com/a/sdk@v1.0.0#core/more", "Go", "github.com/a/sdk/core/more", "Go:github.com/a/sdk", "v1.0.0"},
		{"Go's standard library", "pkg:golang/std@1.21.0", "Go", "stdlib", "Go:stdlib", "1.21.0"},
		{"NuGet", "pkg:nuget/Newtonsoft.Json@12.0.1", "NuGet", "newtonsoft.JSON", "NuGet:newtonsoft.json", "12.0.1"},
		{"a crate", "pkg:cargo/rand_core@0.5.0", "crates.io", "rand-core", "crates.io:rand-core", "0.5.0"},
		{"a gem", "pkg:gem/rails@6.0.0?platform=ruby", "RubyGems", "rails", "RubyGems:rails", "6.0.0"},
		{"Composer", "pkg:composer/symfony/http-kernel@5.0.0", "Packagist", "symfony/Http-Kernel", "Packagist:symfony/http-kernel", "5.0.0"},
		{"Pub", "pkg:pub/http@0.13.0", "Pub", "http", "Pub:http", "0.13.0"},
		{"Hex", "pkg:hex/phoenix@1.5.0", "Hex", "phoenix", "Hex:phoenix", "1.5.0"},
		{"an action", "pkg:githubactions/tj-actions/changed-files@v45", "GitHub Actions", "tj-actions/changed-files", "GitHub Actions:tj-actions/changed-files", "v45"},
		{"an action as a repository", "pkg:github/Actions/Checkout@v2", "GitHub Actions", "actions/checkout", "GitHub Actions:actions/checkout", "v2"},
		{"Swift", "pkg:swift/github.com/Vapor/vapor@4.0.0", "SwiftURL", "https://github.com/vapor/vapor.git", "SwiftURL:github.com/vapor/vapor", "4.0.0"},
		{"Conan", "pkg:conan/openssl@3.0.0?user=bincrafters&channel=stable", "ConanCenter", "openssl", "ConanCenter:openssl", "3.0.0"},
		{"CRAN", "pkg:cran/jsonlite@1.7", "CRAN", "jsonlite", "CRAN:jsonlite", "1.7"},
		{"Bitnami", "pkg:bitnami/wordpress@6.0.0", "Bitnami", "WordPress", "Bitnami:wordpress", "6.0.0"},
		{"Julia", "pkg:julia/OpenSSL_jll@3.0.15%2B1?uuid=458c3c95-2e84-50aa-8efc-19380b2a3a95", "Julia", "OpenSSL_jll", "Julia:OpenSSL_jll", "3.0.15+1"},
		{"Hackage", "pkg:hackage/aeson@1.0", "Hackage", "aeson", "Hackage:aeson", "1.0"},
		{"a binary package of Debian by its source", "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl", "Debian:12", "openssl", "Debian:openssl", "3.0.11-1"},
		{"a source package of its own version", "pkg:deb/debian/libgcc-s1@12.2.0-14?upstream=gcc-12%4012.2.0-13", "Debian:12", "gcc-12", "Debian:gcc-12", "12.2.0-13"},
		{"Alpine's origin", "pkg:apk/alpine/libcrypto3@3.1.1-r1?upstream=openssl", "Alpine:v3.18", "openssl", "Alpine:openssl", "3.1.1-r1"},
		{"an RPM of Red Hat by the name that is installed, with its epoch", "pkg:rpm/redhat/openssl-libs@3.0.7-18.el9_2?epoch=1&upstream=openssl-3.0.7-18.el9_2.src.rpm", "Red Hat:enterprise_linux:9", "openssl-libs", "Red Hat:openssl-libs", "1:3.0.7-18.el9_2"},
		{"an RPM of epoch 0", "pkg:rpm/redhat/openssl@3.0.7-18.el9_2?epoch=0", "Red Hat:enterprise_linux:9", "openssl", "Red Hat:openssl", "3.0.7-18.el9_2"},
		{"an RPM whose source is not known", "pkg:rpm/rocky-linux/openssl-libs@3.0.7-18.el9", "Rocky Linux:9", "openssl-libs", "Rocky Linux:openssl-libs", "3.0.7-18.el9"},
		{"an RPM of AlmaLinux by the name that is installed", "pkg:rpm/almalinux/openssl-libs@3.0.7-18.el9?upstream=openssl-3.0.7-18.el9.src.rpm", "AlmaLinux:9", "openssl-libs", "AlmaLinux:openssl-libs", "3.0.7-18.el9"},
		{"an RPM of SUSE by its source", "pkg:rpm/suse/libopenssl1_1@1.1.1l-1?upstream=openssl-1_1-1.1.1l-1.src.rpm", "SUSE:Linux Enterprise Server 15 SP4", "openssl-1_1", "SUSE:openssl-1_1", "1.1.1l-1"},
		{"an RPM of Rocky by its source, as a file", "pkg:rpm/rocky-linux/openssl-libs@3.0.7-18.el9?sourcerpm=openssl-3.0.7-18.el9.src.rpm", "Rocky Linux:9", "openssl", "Rocky Linux:openssl", "3.0.7-18.el9"},
		{"a source by the qualifier of that name", "pkg:deb/debian/libgcc-s1@12.2.0-14?source=gcc-12&sourceversion=12.2.0-13", "Debian:12", "gcc-12", "Debian:gcc-12", "12.2.0-13"},
		{"Alpine's origin by the qualifier of that name", "pkg:apk/alpine/libcrypto3@3.1.1-r1?origin=openssl", "Alpine:v3.18", "openssl", "Alpine:openssl", "3.1.1-r1"},
		{"an ecosystem in other letters", "pkg:pypi/jinja2@3.0", "pypi", "Jinja2", "PyPI:jinja2", "3.0"},
		{"a distribution in other letters", "pkg:rpm/redhat/zlib@1.2.11-40.el9", "red hat:enterprise_linux:9", "zlib", "Red Hat:zlib", "1.2.11-40.el9"},
		{"no ecosystem", "pkg:generic/zlib@1.2.13?download_url=https://example.com", "", "", "pkg:generic/zlib", "1.2.13"},
		{"a distribution that does not publish", "pkg:deb/raspbian/a@1", "", "", "pkg:deb/raspbian/a", "1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := packageOf(t, c.purl)
			if p.Key() != c.key || p.Version != c.version {
				t.Errorf("the package has the key %s, version %s; want %s, %s", p.Key(), p.Version, c.key, c.version)
			}
			a := entry(c.ecosystem, c.told, "0")
			if c.ecosystem == "" {
				a = entry("Moon", "x", "0")
				a.PURL, a.Ranges[0].Type = c.key, advisory.RangeSemver
			}
			r := record(entry("npm", "another", "0"), a, a)
			if !slices.Contains(r.Keys(), c.key) {
				t.Errorf("the advisory has %v, the package %s", r.Keys(), c.key)
			}
			if m, ok := advisory.Affects(r, p); !ok || m.Entry != 1 {
				t.Errorf("they meet, and do not match: %t, %+v", ok, m)
			}
		})
	}
	if keys := record(entry("npm", "a", "0"), entry("npm", "a", "1"), advisory.Affected{}).Keys(); len(keys) != 1 {
		t.Errorf("each key is given once: %v", keys)
	}
}

// TestDistributionsAreKnownByTheNamesThatToolsGiveThem covers what is not above.
func TestDistributionsAreKnownByTheNamesThatToolsGiveThem(t *testing.T) {
	t.Parallel()
	for namespace, want := range map[string]string{
		"deb/echo": "Echo", "apk/chainguard": "Chainguard", "apk/minimos": "MinimOS", "apk/alpaquita": "Alpaquita",
		"apk/bellsoft-hardened-containers": "BellSoft Hardened Containers", "rpm/rhel": "Red Hat", "rpm/alma": "AlmaLinux", "rpm/rocky": "Rocky Linux",
		"rpm/rockylinux": "Rocky Linux", "rpm/sles": "SUSE", "rpm/opensuse-leap": "openSUSE", "rpm/opensuse-tumbleweed": "openSUSE",
		"rpm/mageia": "Mageia", "rpm/photon": "Photon OS", "rpm/azurelinux": "Azure Linux", "bioconductor": "Bioconductor",
		"vscode-extension/me": "VSCode",
	} {
		p := packageOf(t, "pkg:"+namespace+"/a@2.0-1")
		if p.Ecosystem != want {
			t.Errorf("%s is %q, want %q", namespace, p.Ecosystem, want)
		}
		r := record(entry(want, p.Names[0], "0 -9"))
		if m, ok := advisory.Affects(r, p); !ok || m.Undecided || strings.Contains(m.Range, "generic") {
			t.Errorf("%s: %t, %+v", namespace, ok, m)
		}
	}
}
