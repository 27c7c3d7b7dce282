package blast_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/blast"
)

func TestRule37RangesAreReadByTheRulesOfTheirEcosystem(t *testing.T) {
	for _, c := range []struct {
		vers, scheme, ecosystem string
		in, out                 string // versions
	}{
		{"vers:npm/*", "npm", "npm", "0.0.1 9.9.9 main", ""},
		{"vers:npm/>=2.0.0|<3.0.0", "npm", "npm", "2.0.0 2.10.0 3.0.0-rc.1 main", "1.9.9 3.0.0 2.0.0-rc.1"},
		{"vers:npm/<3.0.0|>=2.0.0", "npm", "npm", "2.0.0", "3.0.0"}, // in any order
		{"vers:npm/>2.0.0|<=3.0.0", "npm", "npm", "2.0.1 3.0.0", "2.0.0 3.0.1"},
		{"vers:npm/>=1.0.0|<1.5.0|>=2.0.0|<2.5.0", "npm", "npm", "1.4.0 2.4.0", "0.9.0 1.5.0 1.9.0 2.5.0"},
		{"vers:npm/<1.0.0|>2.0.0", "npm", "npm", "0.9.0 2.0.1", "1.0.0 1.5.0 2.0.0"},
		{"vers:npm/1.0.0|=2.0.0", "npm", "npm", "1.0.0 2.0.0", "1.0.1 3.0.0"},
		{"vers:npm/!=1.0.0", "npm", "npm", "0.9.0 1.0.1", "1.0.0"},
		{"vers:npm/>=1.0.0|!=1.2.0|<2.0.0", "npm", "npm", "1.0.0 1.1.0 1.3.0", "1.2.0 2.0.0"},
		{"vers:npm/>=1.0.0|>=2.0.0", "npm", "npm", "1.5.0 3.0.0", "0.9.0"}, // the second says nothing
		{"vers:npm/<1.0.0|<2.0.0", "npm", "npm", "1.5.0 0.1.0", "2.0.0"},
		{"vers:npm/1.0.0%2Dbeta", "npm", "npm", "1.0.0-beta", "1.0.0"},
		{"vers:pypi/>=1.0|<2.0", "pypi", "PyPI", "1.0.post1 1.10", "1.0rc1 2.0.0"},
		{"vers:deb/<1%3A2.0-1", "deb", "Debian", "3.0-1 1:1.0-1 1:2.0-1~deb12u1", "1:2.0-1 2:0.1"},
		// Nothing compares these: none is taken for unaffected.
		{"vers:generic/<2.0", "generic", "", "1.0 3.0", ""},
	} {
		for in, list := range map[bool]string{true: c.in, false: c.out} {
			for v := range strings.FieldsSeq(list) {
				got, err := blast.InRange(c.vers, c.scheme, c.ecosystem, v)
				if err != nil || got != in {
					t.Errorf("%s holds %s: %t, %v; want %t", c.vers, v, got, err, in)
				}
			}
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
		if _, err := blast.InRange(vers, "npm", "npm", "1.0.0"); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.60s: got %v, want a refusal that says %q", vers, err, reason)
		}
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	for cell, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "a=1": "a=1", "": ""} {
		if got := blast.Inert(cell); got != want {
			t.Errorf("%q is written %q, want %q", cell, got, want)
		}
	}
}

// FuzzVERS looks for a range that makes the reader fall over, that holds what it excludes, or that leaves out what it names.
func FuzzVERS(f *testing.F) {
	f.Add("vers:npm/>=2.0.0|<3.0.0", "2.5.0")
	f.Add("vers:npm/!=1.0.0|*", "1.0.0")
	f.Add("vers:npm/<=1|>%32", "main")
	f.Fuzz(func(t *testing.T, vers, version string) {
		in, err := blast.InRange(vers, "npm", "npm", version)
		if err != nil && in {
			t.Errorf("%q is refused and holds %q", vers, version)
		}
		if version == "" || strings.ContainsAny(version, "|%<>=!* \t\r\n\v\f\u0085\u00a0") || strings.TrimSpace(version) != version {
			return
		}
		if in, err := blast.InRange("vers:npm/"+version, "npm", "npm", version); err == nil && !in {
			t.Errorf("%q is not what it is", version)
		}
		if in, err := blast.InRange("vers:npm/!="+version, "npm", "npm", version); err == nil && in {
			t.Errorf("%q is what it is not", version)
		}
	})
}
