package advisory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/google/osv-scalibr/semantic"
)

// Match says that a version is affected, or that this could not be decided, and why.
type Match struct {
	// Entry is the index in Record.Affected of the entry that decided.
	Entry int
	// Why is "introduced 1.2.0, fixed 1.2.7", or "listed in versions".
	Why string
	// Range is that as a version range specifier, such as vers:npm/>=1.2.0|<1.2.7.
	Range string
	// Fixed are the versions above this one that the advisory calls fixed, nearest first.
	Fixed []string
	// Undecided is true when nothing says that the version is affected and something could not be compared. Reason says
	// what. Why and Range are then those of the range that is in question, or empty.
	Undecided bool
	Reason    string
}

// Affects tells whether an advisory speaks of a version of a package, by the evaluation rules of the OSV schema: it is
// affected when any entry for the package lists the version or has a range that holds it. Ranges over commits are not
// evaluated. A withdrawn advisory speaks of nothing.
//
// When ok is false, every range was compared and none holds the version. An entry for another release of a distribution
// does not count; where the release is not known, a hit is undecided.
func Affects(r Record, p Package) (m Match, ok bool) {
	if !r.Withdrawn.IsZero() {
		return Match{}, false
	}
	var entries []Affected
	for i, a := range r.Affected {
		if !a.speaksOf(p) {
			continue
		}
		release := a.release(p)
		if release == silent {
			continue
		}
		entries = append(entries, a)
		found, hit := a.judge(p)
		if !hit {
			continue
		}
		found.Entry = i
		if release == unknown && !found.Undecided {
			found.Undecided = true
			found.Reason = fmt.Sprintf("the advisory speaks of %s, and the release that the package is of is not known", a.Ecosystem)
		}
		if !ok || m.Undecided && !found.Undecided {
			m, ok = found, true
		}
	}
	if ok {
		m.Fixed = fixedAbove(p, entries)
	}
	return m, ok
}

// judge evaluates one entry.
func (a Affected) judge(p Package) (Match, bool) {
	base, _ := a.ecosystem()
	if a.lists(base, p.Version) {
		return Match{Why: "listed in versions", Range: "vers:" + schemeOf(base) + "/" + versVersion(base, p.Version)}, true
	}
	var doubt error
	ordered := 0
	for _, r := range a.Ranges {
		if r.Type == RangeGit {
			continue
		}
		ordered++
		in, err := r.holds(base, p.Version)
		if in != nil {
			return Match{Why: in.String(), Range: in.vers(base)}, true
		}
		doubt = cmp.Or(doubt, err)
	}
	switch {
	case ordered == 0 && len(a.Versions) == 0:
		doubt = errors.New("the advisory names no versions that can be compared")
	case p.Version == "":
		doubt = cmp.Or(doubt, errNoVersion)
	}
	if doubt == nil {
		return Match{}, false
	}
	return Match{Undecided: true, Reason: doubt.Error()}, true
}

var errNoVersion = errors.New("the version of the package is not known")

// lists tells whether the entry lists the version. Where the rules of an ecosystem are not known, the text is compared.
func (a Affected) lists(base, text string) bool {
	if text == "" || len(a.Versions) == 0 {
		return false
	}
	var version semantic.Version
	rules, err := rulesOf(base)
	if err == nil {
		version, err = rules.parse(text)
	}
	if err != nil {
		version = nil
	}
	return slices.ContainsFunc(a.Versions, func(listed string) bool { return sameVersion(rules, text, version, listed) })
}

// holds gives the interval that holds the version. When there is none, the error says what kept it from being compared.
// What affects every version affects one that cannot be read, too.
func (r Range) holds(base, text string) (*interval, error) {
	rules, err := r.rules(base)
	if err != nil {
		return nil, err
	}
	intervals, err := rules.intervals(r.Events)
	if err != nil {
		return nil, fmt.Errorf("a version in the advisory cannot be compared: %w", err)
	}
	version, problem := semantic.Version(nil), errNoVersion
	if text != "" {
		version, problem = rules.parse(text)
	}
	for _, in := range intervals {
		held, err := in.holds(version)
		if held {
			return &in, nil
		}
		problem = cmp.Or(problem, err)
	}
	return nil, problem
}

// rules are those of the ecosystem; a range of semantic versions needs none.
func (r Range) rules(base string) (rules, error) {
	known, err := rulesOf(base)
	if err != nil && r.Type == RangeSemver {
		return rules{ecosystem: base, order: "npm", shape: semverShape}, nil
	}
	return known, err
}

// fixedAbove gives the fixed versions of entries that are above the package's, nearest first.
func fixedAbove(p Package, entries []Affected) []string {
	var fixes []point
	for _, a := range entries {
		base, _ := a.ecosystem()
		for _, r := range a.Ranges {
			if r.Type != RangeGit {
				fixes = append(fixes, r.fixedAbove(base, p.Version)...)
			}
		}
	}
	slices.SortStableFunc(fixes, func(a, b point) int {
		n, _ := a.compare(b) // both were compared with the package's version
		return cmp.Or(n, cmp.Compare(a.Version, b.Version))
	})
	var above []string
	for _, f := range fixes {
		above = append(above, f.Version)
	}
	return slices.Compact(above)
}

// fixedAbove leaves out what cannot be compared: a fix that nobody can place is no help.
func (r Range) fixedAbove(base, text string) []point {
	rules, err := r.rules(base)
	if err != nil {
		return nil
	}
	version, err := rules.parse(text)
	if err != nil {
		return nil
	}
	var fixes []point
	for _, e := range r.Events {
		if e.Kind != Fixed {
			continue
		}
		fix, err := rules.parse(e.Version)
		if err != nil {
			continue
		}
		if n, err := compare(fix, version); err == nil && n > 0 {
			fixes = append(fixes, point{Event: e, version: fix})
		}
	}
	return fixes
}
