package advisory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"

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
	// Fixed are the versions above this one that the advisory calls fixed and does not affect, nearest first, at most
	// MaxFixed.
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
	j := Judge{record: r}
	return j.Affects(p)
}

// Affects is the function of this name for the record.
func (j *Judge) Affects(p Package) (m Match, ok bool) {
	if !j.record.Withdrawn.IsZero() {
		return Match{}, false
	}
	var entries []*entry
	for _, i := range j.about(p) {
		a := &j.record.Affected[i]
		if !a.speaksOf(p) {
			continue
		}
		release := a.release(p)
		if release == silent {
			continue
		}
		e := j.entry(i)
		entries = append(entries, e)
		found, hit := e.judge(p.Version)
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
		m.Fixed = fixedAbove(p.Version, entries)
	}
	return m, ok
}

// judge evaluates one entry for a version.
func (e *entry) judge(version string) (Match, bool) {
	if e.lists(version) {
		return Match{Why: "listed in versions", Range: "vers:" + schemeOf(e.base) + "/" + versVersion(e.base, version)}, true
	}
	var doubt error
	for i := range e.lines {
		in, err := e.lines[i].holds(version)
		if in != nil {
			return Match{Why: in.String(), Range: in.vers(e.base)}, true
		}
		doubt = cmp.Or(doubt, err)
	}
	switch {
	case len(e.lines) == 0 && len(e.Versions) == 0:
		doubt = errors.New("the advisory names no versions that can be compared")
	case version == "":
		doubt = cmp.Or(doubt, errNoVersion)
	}
	if doubt == nil {
		return Match{}, false
	}
	return Match{Undecided: true, Reason: doubt.Error()}, true
}

var errNoVersion = errors.New("the version of the package is not known")

// lists tells whether the entry lists the version. Where the rules of an ecosystem are not known, the text is compared.
func (e *entry) lists(text string) bool {
	if text == "" || len(e.Versions) == 0 {
		return false
	}
	some := e.listed[numbersOf(text)]
	if len(some) == 0 {
		return false
	}
	var version semantic.Version
	rules, err := rulesOf(e.base)
	if err == nil {
		version, err = rules.parse(text)
	}
	if err != nil {
		version = nil
	}
	return slices.ContainsFunc(some, func(listed string) bool { return sameVersion(rules, text, version, listed) })
}

// holds gives the interval that holds the version. When there is none, the error says what kept it from being compared.
// What affects every version affects one that cannot be read, too.
func (l *line) holds(text string) (*interval, error) {
	if l.problem != nil {
		return nil, l.problem
	}
	version, problem := semantic.Version(nil), errNoVersion
	if text != "" {
		version, problem = l.rules.parse(text)
	}
	if version == nil {
		for i := range l.intervals {
			if held, _ := l.intervals[i].holds(nil); held {
				return &l.intervals[i], nil
			}
		}
		return nil, problem
	}
	// Intervals do not overlap: only the last that begins at the version or below can hold it.
	above := sort.Search(len(l.intervals), func(i int) bool {
		from := l.intervals[i].from.version
		if from == nil {
			return false
		}
		order, err := compare(version, from)
		problem = cmp.Or(problem, err)
		return err == nil && order < 0
	})
	if above == 0 {
		return nil, problem
	}
	held, err := l.intervals[above-1].holds(version)
	if held {
		return &l.intervals[above-1], nil
	}
	return nil, cmp.Or(problem, err)
}
