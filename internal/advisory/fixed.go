package advisory

import (
	"slices"
	"sort"
)

const (
	// MaxFixed is how many fixed versions a Match names.
	MaxFixed = 20
	// maxTried is how many are looked at, nearest first: an advisory can call thousands fixed that it affects.
	maxTried = 100
)

// fix is a fixed version, with the entry that calls it so.
type fix struct {
	point
	from *entry
}

// fixedAbove gives the versions above the package's that one of the entries calls fixed and none of them affects, nearest
// first. A branch that was mended can lie within a range that another entry leaves open.
func fixedAbove(version string, entries []*entry) []string {
	var fixes []fix
	for _, e := range entries {
		for i := range e.lines {
			for _, p := range e.lines[i].above(version) {
				fixes = append(fixes, fix{p, e})
			}
		}
	}
	slices.SortStableFunc(fixes, func(a, b fix) int { return inOrder(a.point, b.point) })
	var above []string
	for _, f := range fixes[:min(len(fixes), maxTried)] {
		if len(above) == MaxFixed {
			break
		}
		if (len(above) == 0 || above[len(above)-1] != f.Version) && !stillAffected(f, entries) {
			above = append(above, f.Version)
		}
	}
	return above
}

// above gives the fixes of a range that are above a version, as many as are looked at.
func (l *line) above(text string) []point {
	if len(l.fixes) == 0 {
		return nil
	}
	version, err := l.rules.parse(text)
	if err != nil {
		return nil
	}
	n := sort.Search(len(l.fixes), func(i int) bool {
		order, err := compare(l.fixes[i].version, version)
		return err == nil && order > 0
	})
	return l.fixes[n:min(len(l.fixes), n+maxTried)]
}

// stillAffected tells whether an entry for the same release affects what is called fixed.
func stillAffected(f fix, entries []*entry) bool {
	return slices.ContainsFunc(entries, func(e *entry) bool {
		if !sameRelease(f.from, e) {
			return false
		}
		m, hit := e.judge(f.Version)
		return hit && !m.Undecided
	})
}

// sameRelease is true of all entries that are of no distribution.
func sameRelease(a, b *entry) bool {
	if packagingOf(a.base) == "" || a == b {
		return true
	}
	_, one := a.ecosystem()
	_, other := b.ecosystem()
	return one == other || releaseOf(a.base, one, "") == releaseOf(b.base, other, "")
}
