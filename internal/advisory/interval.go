package advisory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// point is an event whose version was read. The version is nil for what stands before ("0") or above ("*") all others.
type point struct {
	Event
	version semantic.Version
	at      int // its place in order; that of equal versions is equal
}

// interval is a run of affected versions: from introduced, up to until.
type interval struct {
	from  point
	until *point // fixed or last_affected; nil when it has no end
	limit *point // the highest limit of the range, if any
}

// intervals evaluates the events of a range as the OSV schema says: in the order of their versions, whatever their order in
// the document. Of a fix and an introduction at one version, the fix ends what was open and the introduction begins
// anew, because databases write adjoining ranges so; when nothing was open, the fix undoes the introduction.
func (r rules) intervals(events []Event) ([]interval, error) {
	points, limits, err := r.points(events)
	if err != nil {
		return nil, err
	}
	var s sweep
	for len(points) > 0 {
		same := 1
		for same < len(points) && points[same].at == points[0].at {
			same++
		}
		s.pass(points[:same])
		points = points[same:]
	}
	if s.open != nil {
		s.found = append(s.found, *s.open)
	}
	if len(limits) > 0 && limits[len(limits)-1].version != nil {
		for i := range s.found {
			s.found[i].limit = &limits[len(limits)-1]
		}
	}
	return s.found, nil
}

// sweep goes up a range and collects what it passes.
type sweep struct {
	open  *interval // where it is inside of one
	found []interval
}

// pass takes the events at one version.
func (s *sweep) pass(points []point) {
	wasOpen := s.open != nil
	for _, introductions := range []bool{!wasOpen, wasOpen} {
		for i := range points {
			p := &points[i]
			switch began := p.Kind == Introduced; {
			case began != introductions:
			case began && s.open == nil:
				s.open = &interval{from: *p}
			case !began && s.open != nil:
				s.open.until = p
				s.found = append(s.found, *s.open)
				s.open = nil
			}
		}
	}
}

// points reads the versions of events and sorts them; limits apart, the highest last.
func (r rules) points(events []Event) (points, limits []point, err error) {
	for _, e := range events {
		p := point{Event: e}
		if !p.unbounded() {
			if p.version, err = r.parse(e.Version); err != nil {
				return nil, nil, err
			}
		}
		if e.Kind == Limit {
			limits = append(limits, p)
		} else {
			points = append(points, p)
		}
	}
	rank := []EventKind{Introduced, LastAffected, Fixed}
	order := func(a, b point) int {
		n, failed := a.compare(b)
		err = cmp.Or(err, failed)
		return n
	}
	slices.SortStableFunc(limits, order)
	slices.SortStableFunc(points, func(a, b point) int {
		return cmp.Or(order(a, b), cmp.Compare(slices.Index(rank, a.Kind), slices.Index(rank, b.Kind)))
	})
	for i := 1; i < len(points); i++ {
		points[i].at = points[i-1].at
		if order(points[i-1], points[i]) != 0 {
			points[i].at = i
		}
	}
	return points, limits, err
}

func (p point) unbounded() bool {
	return p.Kind == Introduced && p.Version == "0" || p.Kind == Limit && p.Version == "*"
}

func (p point) compare(q point) (int, error) {
	if p.version != nil && q.version != nil {
		return compare(p.version, q.version)
	}
	// An introduction at "0" is before, a limit at "*" above everything that has a version.
	side := func(x point) int {
		switch {
		case x.version != nil:
			return 0
		case x.Kind == Limit:
			return 1
		}
		return -1
	}
	return cmp.Compare(side(p), side(q)), nil
}

// holds tells whether a version lies in the interval. Without a version it does when every version does.
func (i interval) holds(version semantic.Version) (bool, error) {
	if version == nil {
		return i.from.version == nil && i.until == nil && i.limit == nil, nil
	}
	if i.from.version != nil {
		if n, err := compare(version, i.from.version); err != nil || n < 0 {
			return false, err
		}
	}
	if i.limit != nil {
		if n, err := compare(version, i.limit.version); err != nil || n >= 0 {
			return false, err
		}
	}
	if i.until == nil {
		return true, nil
	}
	n, err := compare(version, i.until.version)
	return err == nil && (n < 0 || n == 0 && i.until.Kind == LastAffected), err
}

// String says the interval in words, such as "introduced 1.2.0, fixed 1.2.7".
func (i interval) String() string {
	said := "introduced " + i.from.Version
	switch {
	case i.until == nil:
		said += ", not fixed"
	case i.until.Kind == LastAffected:
		said += ", last affected " + i.until.Version
	default:
		said += ", fixed " + i.until.Version
	}
	if i.limit != nil {
		said += ", limit " + i.limit.Version
	}
	return said
}

// vers writes the interval as a version range specifier, such as vers:npm/>=1.2.0|<1.2.7.
func (i interval) vers(base string) string {
	var bounds []string
	if i.from.version != nil {
		bounds = append(bounds, ">="+versVersion(base, i.from.Version))
	}
	if i.until != nil {
		sign := "<"
		if i.until.Kind == LastAffected {
			sign = "<="
		}
		bounds = append(bounds, sign+versVersion(base, i.until.Version))
	} else if i.limit != nil {
		bounds = append(bounds, "<"+versVersion(base, i.limit.Version))
	}
	if len(bounds) == 0 {
		bounds = []string{"*"}
	}
	return "vers:" + schemeOf(base) + "/" + strings.Join(bounds, "|")
}

// versVersion encodes a version for VERS, and writes versions of Go modules with the v that they have in package URLs.
func versVersion(base, version string) string {
	if base == "Go" {
		version = "v" + withoutV(version)
	}
	var out strings.Builder
	for _, c := range []byte(version) {
		if c > ' ' && c < 0x7f && !strings.ContainsRune(`%><=!*|,/`, rune(c)) {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
