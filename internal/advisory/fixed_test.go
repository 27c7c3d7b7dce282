package advisory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/purl"
)

func TestRule37AFixIsNeverAVersionThatTheAdvisoryAffects(t *testing.T) {
	t.Parallel()
	withDeb := func(events12, events11 string) advisory.Record {
		return record(entry("Debian:12", "a", events12), entry("Debian:11", "a", events11))
	}
	cases := []struct {
		name   string
		record advisory.Record
		purl   string
		want   string
	}{
		{"a fix within another range", record(entry("npm", "a", "0 -1.2.0"), entry("npm", "a", "1.1.0 -1.5.0")), "pkg:npm/a@1.0.0", "1.5.0"},
		{"a fix where the next range begins", record(entry("npm", "a", "0 -1.0.0 1.0.0 -1.1.0")), "pkg:npm/a@0.9.0", "1.1.0"},
		{"a fix that another entry lists", record(entry("npm", "a", "0 -1.2.0"), entry("npm", "a", "", "1.2.0")), "pkg:npm/a@1.0.0", ""},
		{"a fix that another range leaves open for ever", record(entry("npm", "a", "0 -1.2.0"), entry("npm", "a", "1.1.0")), "pkg:npm/a@1.0.0", ""},
		{"a fix below another range", record(entry("npm", "a", "0 -1.2.0 2.0.0 -2.0.5")), "pkg:npm/a@1.0.0", "1.2.0 2.0.5"},
		{"another package of the same advisory", record(entry("npm", "a", "0 -1.2.0"), entry("npm", "b", "0")), "pkg:npm/a@1.0.0", "1.2.0"},
		{"another release of the distribution", withDeb("0 -1.2-1", "0"), "pkg:deb/debian/a@1.0?distro=debian-12", "1.2-1"},
		{"another release, and the package's is not known", withDeb("0 -1.0+deb12u2", "0 -1.0+deb11u2"), "pkg:deb/debian/a@1.0", "1.0+deb11u2 1.0+deb12u2"},
		{"twice the same", record(entry("npm", "a", "0 -1.2.0"), entry("npm", "a", "0 -1.2.0")), "pkg:npm/a@1.0.0", "1.2.0"},
	}
	for _, c := range cases {
		m, ok := advisory.Affects(c.record, packageOf(t, c.purl))
		if got := strings.Join(m.Fixed, " "); !ok || got != c.want {
			t.Errorf("%s: %t, fixed in %q, want %q", c.name, ok, got, c.want)
		}
	}
}

func TestTheListOfFixesIsBounded(t *testing.T) {
	t.Parallel()
	var events, open strings.Builder
	for i := range 300 {
		fmt.Fprintf(&events, "%d.0.0 -%d.1.0 ", i, i)
		fmt.Fprintf(&open, "-%d.1.0 ", i)
	}
	m, ok := advisory.Affects(record(entry("npm", "a", events.String())), packageOf(t, "pkg:npm/a@7.0.5"))
	if !ok || len(m.Fixed) != advisory.MaxFixed || m.Fixed[0] != "7.1.0" || !slices.IsSortedFunc(m.Fixed, func(a, b string) int {
		n, err := advisory.Compare("npm", a, b)
		if err != nil {
			t.Error(err)
		}
		return n
	}) {
		t.Errorf("%t, %q", ok, m.Fixed)
	}
	// Thousands that are called fixed, and that another range affects.
	m, ok = advisory.Affects(record(entry("npm", "a", "0"), entry("npm", "a", open.String())), packageOf(t, "pkg:npm/a@0.0.5"))
	if !ok || len(m.Fixed) != 0 {
		t.Errorf("%t, %q", ok, m.Fixed)
	}
}

// TestAJudgeSaysWhatAffectsSays asks a record of many entries both ways.
func TestAJudgeSaysWhatAffectsSays(t *testing.T) {
	t.Parallel()
	var entries []advisory.Affected
	for i := range 50 {
		entries = append(entries, entry("npm", fmt.Sprintf("p%d", i), fmt.Sprintf("0 -1.%d.0 3.0.0 =3.%d.1", i, i), "2.0.0"),
			entry("Debian:12", fmt.Sprintf("p%d", i), "0 -2-1"), entry("moon", "x", "1.0.0"))
	}
	at := advisory.Affected{Ecosystem: "Moon", Name: "z", PURL: "pkg:generic/z", Ranges: []advisory.Range{{Type: advisory.RangeSemver, Events: []advisory.Event{{Kind: advisory.Introduced, Version: "1.0.0"}}}}}
	r := record(append(entries, at)...)
	judge := advisory.NewJudge(r)
	hits := 0
	for _, url := range []string{
		"pkg:npm/p7@1.6.9", "pkg:npm/p7@1.7.0", "pkg:npm/p7@2.0.0", "pkg:npm/p7@3.7.1", "pkg:npm/p7@3.7.2", "pkg:npm/p7@latest", "pkg:npm/p7", "pkg:npm/p50@1.0.0",
		"pkg:deb/debian/lib@1?upstream=p7&distro=debian-12", "pkg:deb/debian/lib@1?upstream=p7&distro=debian-11", "pkg:deb/debian/p7@3?distro=debian-12",
		"pkg:generic/z@1.0.1", "pkg:generic/x@1.0.1",
	} {
		p := packageOf(t, url)
		for range 2 {
			m, ok := judge.Affects(p)
			want, wanted := advisory.Affects(r, p)
			if fmt.Sprint(m, ok) != fmt.Sprint(want, wanted) {
				t.Errorf("%s: %+v, %t, want %+v, %t", url, m, ok, want, wanted)
			}
			if ok {
				hits++
			}
		}
	}
	if hits != 2*7 {
		t.Errorf("%d hits", hits)
	}
}

// FuzzJudge asks a record both ways about a package, and expects one answer: bounded, with a fix that is not affected.
func FuzzJudge(f *testing.F) {
	f.Add(written(`"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"1.2.3"},{"last_affected":"2.0.0"}]}],"versions":["1.0.0"]`), "pkg:npm/a@1.0.0")
	f.Add(`{"id":"T-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.11-1"}]}]}]}`,
		"pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12&upstream=openssl")
	f.Fuzz(func(t *testing.T, text, url string) {
		u, err := purl.Parse(url)
		if err != nil {
			return
		}
		r, err := advisory.Parse([]byte(text))
		if err != nil || len(r.Affected) > 100 {
			return
		}
		p := advisory.PackageOf(u)
		m, ok := advisory.Affects(r, p)
		if m.Undecided && m.Reason == "" || len(m.Fixed) > advisory.MaxFixed || ok && !m.Undecided && m.Why == "" {
			t.Fatalf("%+v", m)
		}
		// With so many entries more, it looks up what it went through before.
		for i := range 20 {
			r.Affected = append(r.Affected, entry("npm", fmt.Sprintf("no-%d", i), "0"))
		}
		if again, also := advisory.NewJudge(r).Affects(p); ok != also || fmt.Sprint(m) != fmt.Sprint(again) {
			t.Fatalf("%+v, %t, and looked up %+v, %t", m, ok, again, also)
		}
	})
}
