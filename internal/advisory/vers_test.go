package advisory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/purl"
)

func TestRule37RangesAreReadByTheRulesOfTheirEcosystem(t *testing.T) {
	for _, c := range []struct {
		vers, of string
		in, out  string // versions
	}{
		{"vers:npm/*", "pkg:npm/a", "0.0.1 9.9.9 main", ""},
		{"vers:npm/>=2.0.0|<3.0.0", "pkg:npm/a", "2.0.0 2.10.0 3.0.0-rc.1 main", "1.9.9 3.0.0 2.0.0-rc.1"},
		{"vers:npm/<3.0.0|>=2.0.0", "pkg:npm/a", "2.0.0", "3.0.0"}, // in any order
		{"vers:npm/>2.0.0|<=3.0.0", "pkg:npm/a", "2.0.1 3.0.0", "2.0.0 3.0.1"},
		{"vers:npm/>=1.0.0|<1.5.0|>=2.0.0|<2.5.0", "pkg:npm/a", "1.4.0 2.4.0", "0.9.0 1.5.0 1.9.0 2.5.0"},
		{"vers:npm/<1.0.0|>2.0.0", "pkg:npm/a", "0.9.0 2.0.1", "1.0.0 1.5.0 2.0.0"},
		{"vers:npm/1.0.0|=2.0.0", "pkg:npm/a", "1.0.0 2.0.0", "1.0.1 3.0.0"},
		{"vers:npm/!=1.0.0", "pkg:npm/a", "0.9.0 1.0.1", "1.0.0"},
		{"vers:npm/>=1.0.0|!=1.2.0|<2.0.0", "pkg:npm/a", "1.0.0 1.1.0 1.3.0", "1.2.0 2.0.0"},
		{"vers:npm/>=1.0.0|>=2.0.0", "pkg:npm/a", "1.5.0 3.0.0", "0.9.0"}, // the second says nothing
		{"vers:npm/<1.0.0|<2.0.0", "pkg:npm/a", "1.5.0 0.1.0", "2.0.0"},
		{"vers:npm/1.0.0%2Dbeta", "pkg:npm/a", "1.0.0-beta", "1.0.0"},
		{"vers:pypi/>=1.0|<2.0", "pkg:pypi/a", "1.0.post1 1.10", "1.0rc1 2.0.0"},
		{"vers:deb/<1%3A2.0-1", "pkg:deb/debian/a", "3.0-1 1:1.0-1 1:2.0-1~deb12u1", "1:2.0-1 2:0.1"},
		// Nothing compares these: none is taken for unaffected.
		{"vers:generic/<2.0", "pkg:generic/a", "1.0 3.0", ""},
	} {
		for in, list := range map[bool]string{true: c.in, false: c.out} {
			for v := range strings.FieldsSeq(list) {
				got, err := inRange(c.vers, c.of, v)
				if err != nil || got != in {
					t.Errorf("%s holds %s: %t, %v; want %t", c.vers, v, got, err, in)
				}
			}
		}
	}
}

// inRange tells whether a version of a package may lie in a range.
func inRange(vers, of, version string) (bool, error) {
	p, err := purl.Parse(of)
	if err != nil {
		return false, err
	}
	r, err := advisory.ParseVERS(vers, p)
	if err != nil {
		return false, err
	}
	p.Version = version
	in, _ := r.Contains(p)
	return in, nil
}

func TestARangeSaysWhatIsCertain(t *testing.T) {
	for _, c := range []struct{ vers, of, want string }{
		{"vers:npm/<2", "pkg:npm/a@1", "true true"},
		{"vers:npm/<2", "pkg:npm/a@3", "false true"},
		{"vers:npm/<2", "pkg:npm/a@main", "true false"},
		{"vers:npm/<2", "pkg:npm/a", "true false"},
		{"vers:npm/*", "pkg:npm/a", "true true"},
		{"vers:npm/*", "pkg:npm/a@main", "true true"},
		{"vers:npm/!=1", "pkg:npm/a", "true false"},
		{"vers:npm/!=1", "pkg:npm/a@main", "true false"},
		{"vers:npm/!=1", "pkg:npm/a@2", "true true"},
		{"vers:generic/1", "pkg:generic/a@1", "true true"},
		{"vers:generic/1", "pkg:generic/a@2", "true false"},
		{"vers:generic/!=1", "pkg:generic/a@1", "false true"},
		{"vers:rpm/<1:2-1", "pkg:rpm/redhat/a@3-1", "true true"},
		{"vers:rpm/<1:2-1", "pkg:rpm/redhat/a@3-1?epoch=1", "false true"},
	} {
		p, err := purl.Parse(c.of)
		if err != nil {
			t.Fatal(err)
		}
		r, err := advisory.ParseVERS(c.vers, p)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.Contains(p)); got != c.want {
			t.Errorf("%s holds %s: %s, want %s", c.vers, c.of, got, c.want)
		}
	}
}

func TestAVersionAloneIsARange(t *testing.T) {
	for of, want := range map[string]string{
		"pkg:npm/a":                       "",
		"pkg:npm/a@1.0.0":                 "vers:npm/1.0.0",
		"pkg:npm/a@1.0.0%2Bb%7C%3Ec":      "vers:npm/1.0.0+b%7C%3Ec",
		"pkg:golang/a.io/b@v1.2.3":        "vers:golang/v1.2.3",
		"pkg:deb/debian/a@1:2.0-1":        "vers:deb/1:2.0-1",
		"pkg:rpm/redhat/a@2.0-1?epoch=3":  "vers:rpm/3:2.0-1",
		"pkg:generic/a@one%20and%20a%2Fb": "vers:generic/one%20and%20a%2Fb",
	} {
		p, err := purl.Parse(of)
		if err != nil {
			t.Fatal(err)
		}
		exact := advisory.ExactVERS(p)
		if exact != want {
			t.Errorf("the range of %s is %q, want %q", of, exact, want)
		}
		if want == "" || strings.Contains(of, "npm") && strings.Contains(of, "%") {
			continue
		}
		r, err := advisory.ParseVERS(exact, p)
		if in, certain := r.Contains(p); err != nil || !in || !certain {
			t.Errorf("%s does not hold %s: %v", exact, of, err)
		}
	}
}

func TestRangesThatAreNoneAreRefusedWithTheReason(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint(i, ".0.0")
	}
	for vers, reason := range map[string]string{
		"":                                    "begins with vers:",
		">=1.0.0":                             "begins with vers:",
		"vers:npm":                            "slash",
		"vers:pypi/>=1.0":                     "the package of",
		"vers:npm/":                           "no version",
		"vers:npm/>=":                         "no version",
		"vers:npm/>=1.0.0|":                   "no version",
		"vers:npm/>=1.0.0|*":                  "stands alone",
		"vers:npm/>=>1.0.0":                   "one of",
		"vers:npm/>=%zz":                      "percent-encoded",
		"vers:npm/>=1.0.0|<1.0.0":             "twice",
		"vers:npm/>=1.0.0|<1.0.0+a":           "one version",
		"vers:npm/>=main":                     "compared",
		"vers:npm/" + strings.Join(many, "|"): "at most 100",
	} {
		if _, err := inRange(vers, "pkg:npm/a", "1.0.0"); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.60s: got %v, want a refusal that says %q", vers, err, reason)
		}
	}
}

// FuzzVERS looks for a range that makes the reader fall over, that holds what it excludes, or that leaves out what it names.
func FuzzVERS(f *testing.F) {
	f.Add("vers:npm/>=2.0.0|<3.0.0", "2.5.0")
	f.Add("vers:npm/!=1.0.0|*", "1.0.0")
	f.Add("vers:npm/<=1|>%32", "main")
	f.Fuzz(func(t *testing.T, vers, version string) {
		in, err := inRange(vers, "pkg:npm/a", version)
		if err != nil && in {
			t.Errorf("%q is refused and holds %q", vers, version)
		}
		if version == "" || strings.ContainsAny(version, "|%<>=!* \t\r\n\v\f\u0085\u00a0") || strings.TrimSpace(version) != version {
			return
		}
		if in, err := inRange("vers:npm/"+version, "pkg:npm/a", version); err == nil && !in {
			t.Errorf("%q is not what it is", version)
		}
		if in, err := inRange("vers:npm/!="+version, "pkg:npm/a", version); err == nil && in {
			t.Errorf("%q is what it is not", version)
		}
	})
}
