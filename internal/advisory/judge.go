package advisory

import (
	"cmp"
	"fmt"
	"slices"
)

// fewEntries is how many entries are looked through one by one.
const fewEntries = 16

// Judge judges many packages by one record, of which it reads each entry once: an advisory can have thousands, and a
// component can have thousands of advisories. It serves one goroutine at a time.
type Judge struct {
	record  Record
	entries map[int]*entry   // that were read, by their index in the record
	byName  map[string][]int // the indexes of entries, by ecosystem and name or by package URL; nil for few entries
	all     []int
}

// NewJudge keeps the record, which does not change from now on.
func NewJudge(r Record) *Judge {
	j := &Judge{record: r}
	if len(r.Affected) <= fewEntries {
		return j
	}
	j.byName = make(map[string][]int, len(r.Affected))
	for i, a := range r.Affected {
		if base, _ := a.ecosystem(); base != "" {
			name := exact(base, a.Name)
			j.byName[name] = append(j.byName[name], i)
		}
		if a.byPURL() {
			j.byName[a.PURL] = append(j.byName[a.PURL], i)
		}
	}
	return j
}

// about gives the indexes of the entries that may be about the package, in order.
func (j *Judge) about(p Package) []int {
	if j.byName == nil {
		if j.all == nil {
			j.all = make([]int, len(j.record.Affected))
			for i := range j.all {
				j.all[i] = i
			}
		}
		return j.all
	}
	some := slices.Clone(j.byName[p.PURL])
	for _, name := range p.Names {
		some = append(some, j.byName[exact(p.Ecosystem, name)]...)
	}
	slices.Sort(some)
	return slices.Compact(some)
}

// exact is the ecosystem and the name, in the one spelling. Unlike a key it says which package it is, and no other.
func exact(base, name string) string { return base + ":" + foldName(base, name) }

// entry is an entry of a record, made ready to be asked often.
type entry struct {
	*Affected
	base string
	// listed are the versions that it lists, by their numbers: versions that are equal by any rules have equal numbers.
	listed map[string][]string
	lines  []line
}

// line is a range that can be compared: all but those over commits.
type line struct {
	rules     rules
	problem   error // why it cannot be, and nothing else is there then
	intervals []interval
	fixes     []point // in order
}

func (j *Judge) entry(i int) *entry {
	if e := j.entries[i]; e != nil {
		return e
	}
	e := &entry{Affected: &j.record.Affected[i]}
	e.base, _ = e.ecosystem()
	if len(e.Versions) > 0 {
		e.listed = make(map[string][]string, len(e.Versions))
	}
	for _, v := range e.Versions {
		numbers := numbersOf(v)
		e.listed[numbers] = append(e.listed[numbers], v)
	}
	for _, r := range e.Ranges {
		if r.Type != RangeGit {
			e.lines = append(e.lines, r.line(e.base))
		}
	}
	if j.entries == nil {
		j.entries = map[int]*entry{}
	}
	j.entries[i] = e
	return e
}

func (r Range) line(base string) line {
	rules, err := r.rules(base)
	if err != nil {
		return line{problem: err}
	}
	l := line{rules: rules}
	if l.intervals, err = rules.intervals(r.Events); err != nil {
		l.problem = fmt.Errorf("a version in the advisory cannot be compared: %w", err)
	}
	l.fixes = rules.fixes(r.Events)
	return l
}

// rules are those of the ecosystem; a range of semantic versions needs none.
func (r Range) rules(base string) (rules, error) {
	known, err := rulesOf(base)
	if err != nil && r.Type == RangeSemver {
		return rules{ecosystem: base, order: "npm", shape: semverShape}, nil
	}
	return known, err
}

// fixes leaves out what cannot be compared: a fix that nobody can place is no help.
func (r rules) fixes(events []Event) []point {
	var out []point
	for _, e := range events {
		if e.Kind != Fixed {
			continue
		}
		if v, err := r.parse(e.Version); err == nil {
			out = append(out, point{Event: e, version: v})
		}
	}
	slices.SortStableFunc(out, inOrder)
	return out
}

func inOrder(a, b point) int {
	n, _ := a.compare(b)
	return cmp.Or(n, cmp.Compare(a.Version, b.Version))
}
