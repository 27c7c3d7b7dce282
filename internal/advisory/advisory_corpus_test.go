package advisory_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

// corpusRecords reads every public advisory in place. Those that are kept as YAML are written as JSON first.
func corpusRecords(t *testing.T, each func(name string, r advisory.Record)) {
	t.Helper()
	corpus := os.Getenv("PLIMSOLL_CORPUS")
	if corpus == "" {
		t.Skip("run by make test-corpus")
	}
	root := filepath.Join(corpus, "osv")
	read := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err != nil || entry.IsDir() || ext != ".json" && ext != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if ext == ".yaml" {
			content = asJSON(t, path, content)
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		r, err := advisory.Parse(content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		read++
		each(name, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 2000 {
		t.Errorf("only %d advisories: is the corpus whole?", read)
	}
}

func asJSON(t *testing.T, path string, content []byte) []byte {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(content, &tree); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// only is a record that says what one entry of another says.
func only(r advisory.Record, a advisory.Affected) advisory.Record {
	return advisory.Record{ID: r.ID, Affected: []advisory.Affected{a}}
}

func of(a advisory.Affected, version string) advisory.Package {
	ecosystem, _, _ := strings.Cut(a.Ecosystem, ":")
	return advisory.Package{Ecosystem: ecosystem, Names: []string{a.Name}, Version: version}
}

// TestCorpusRule37_VersionsThatAreListedAreAffected holds the strongest thing that an advisory says about itself: a
// version that it lists is affected, also when the list is not there and only ranges speak.
func TestCorpusRule37_VersionsThatAreListedAreAffected(t *testing.T) {
	t.Parallel()
	listed, inRange := 0, 0
	corpusRecords(t, func(name string, r advisory.Record) {
		for _, a := range r.Affected {
			for _, v := range a.Versions {
				listed++
				m, ok := advisory.Affects(only(r, a), of(a, v))
				if !ok || m.Undecided || m.Why == "" || m.Range == "" {
					t.Errorf("%s lists %s %s and it is not affected: %+v", name, a.Name, v, m)
				}
				if !hasOrder(a) {
					continue
				}
				bare := a
				bare.Versions = nil
				m, ok = advisory.Affects(only(r, bare), of(a, v))
				switch {
				case ok && !m.Undecided:
					inRange++
				case rangesDisagree()[r.ID+" "+v] != "" || ok && legacyPython.MatchString(v):
				default:
					t.Errorf("%s: %s %s is listed and in no range: %+v", name, a.Name, v, m)
				}
			}
		}
	})
	t.Logf("%d listed versions, of which %d lie in a range, too", listed, inRange)
}

func hasOrder(a advisory.Affected) bool {
	for _, r := range a.Ranges {
		if r.Type != advisory.RangeGit {
			return true
		}
	}
	return false
}

// rangesDisagree are listed versions that no range of their entry holds, with the reason.
func rangesDisagree() map[string]string {
	return map[string]string{
		"PYSEC-2023-177 23.9.0":       "the range calls it fixed: the list decides, which is what a match says",
		"PYSEC-2023-177 23.9.0.post1": "a post-release of the fix, which the list has and the range has not",
	}
}

// legacyPython are old versions that PEP 440 does not know: in a range they are undecided, and in a list found.
var legacyPython = regexp.MustCompile(`^\d[\d.]*([mp]\d+|b\d-)$`)

// fixedAndIntroduced are versions that one range calls fixed and introduced at once, where two ranges adjoin.
func fixedAndIntroduced() map[string]string {
	return map[string]string{
		"PYSEC-2022-236 3.1.1": "fixed 3.1.1, introduced 3.1.1: the list of the same entry has it",
		"PYSEC-2023-72 3.1.1":  "fixed 3.1.1, introduced 3.1.1: the list of the same entry has it",
		"PYSEC-2023-72 3.2.0":  "fixed 3.2.0, introduced 3.2.0: the list of the same entry has it",
	}
}

// TestCorpusRule37_WhatIsFixedIsNotAffected asks every range for its own events: what it introduces and what it last
// affects is affected, what it fixes is not.
func TestCorpusRule37_WhatIsFixedIsNotAffected(t *testing.T) {
	t.Parallel()
	events := 0
	corpusRecords(t, func(name string, r advisory.Record) {
		for _, a := range r.Affected {
			for _, rng := range a.Ranges {
				if rng.Type == advisory.RangeGit {
					continue
				}
				alone := a
				alone.Ranges, alone.Versions = []advisory.Range{rng}, nil
				for _, e := range rng.Events {
					m, ok := advisory.Affects(only(r, alone), of(a, e.Version))
					want := e.Kind != advisory.Fixed || fixedAndIntroduced()[r.ID+" "+e.Version] != ""
					if e.Version == "0" {
						continue // it stands for what is before every version, and is not one
					}
					events++
					if ok != want || m.Undecided {
						t.Errorf("%s: %s %s %s: affected is %t: %+v", name, a.Name, e.Kind, e.Version, ok, m)
					}
				}
			}
		}
	})
	t.Logf("%d events", events)
}

// TestCorpusRule37_GoAgreesWithItsOwnLibrary evaluates every range of Go's database a second time: by the loop that the OSV
// schema prints, over versions compared by Go's own library, at each event and just beside it.
func TestCorpusRule37_GoAgreesWithItsOwnLibrary(t *testing.T) {
	t.Parallel()
	asked, affected := 0, 0
	corpusRecords(t, func(name string, r advisory.Record) {
		for _, a := range r.Affected {
			if a.Ecosystem != "Go" || len(a.Ranges) != 1 {
				continue
			}
			for _, e := range a.Ranges[0].Events {
				for _, v := range []string{e.Version, e.Version + "-0", e.Version + ".1", "999.0.0", "0.0.0-20200101000000-abcdefabcdef"} {
					if !semver.IsValid("v" + v) {
						continue
					}
					m, ok := advisory.Affects(only(r, a), of(a, "v"+v))
					if want := printedLoop(a.Ranges[0].Events, "v"+v); ok != want || m.Undecided {
						t.Errorf("%s: %s %s: got %t, %+v, want %t", name, a.Name, v, ok, m, want)
					}
					if asked++; ok {
						affected++
					}
				}
			}
		}
	})
	if affected < 1000 || affected > asked-1000 {
		t.Errorf("%d of %d are affected: the test asks too little", affected, asked)
	}
}

// printedLoop is the evaluation of the schema's text, for events that are in order.
func printedLoop(events []advisory.Event, v string) bool {
	vulnerable := false
	for _, e := range events {
		switch {
		case e.Kind == advisory.Introduced && (e.Version == "0" || semver.Compare(v, "v"+e.Version) >= 0):
			vulnerable = true
		case e.Kind == advisory.Fixed && semver.Compare(v, "v"+e.Version) >= 0:
			vulnerable = false
		}
	}
	return vulnerable
}

// TestCorpusEveryAdvisoryIsFoundByThePackagesItSpeaksOf spells the package of each entry as tools spell it in bills of
// materials, for Go in both of their ways, and looks it up.
func TestCorpusEveryAdvisoryIsFoundByThePackagesItSpeaksOf(t *testing.T) {
	t.Parallel()
	types := map[string]string{"Go": "golang", "PyPI": "pypi", "npm": "npm"}
	corpusRecords(t, func(name string, r advisory.Record) {
		keys := r.Keys()
		for _, a := range r.Affected {
			spelled := []string{a.Name}
			if parts := strings.SplitN(a.Name, "/", 4); len(parts) == 4 {
				spelled = append(spelled, strings.Join(parts[:3], "/")+"#"+parts[3])
			}
			for _, s := range spelled {
				p := packageOf(t, "pkg:"+types[a.Ecosystem]+"/"+s)
				if !slices.Contains(keys, p.Key()) {
					t.Errorf("%s: %s has the key %s, the advisory %v", name, s, p.Key(), keys)
				}
				if _, ok := advisory.Affects(advisory.Record{Affected: r.Affected}, p); !ok {
					t.Errorf("%s: the advisory does not speak of %s", name, s)
				}
			}
		}
	})
}
