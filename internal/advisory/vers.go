package advisory

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/purl"
)

const maxConstraints = 100

// VERS is a range of versions of a package, in its package URL's type: `vers:npm/>=2.0.0|<3.0.0`. ParseVERS makes one.
type VERS struct {
	all bool
	// equal and unequal are versions by themselves; bounds are the ends of intervals, in order.
	equal, unequal []string
	bounds         []constraint
	compare        func(a, b string) (int, error)
}

// constraint is a comparator and what it compares with.
type constraint struct{ op, version string }

func (c constraint) opens() bool { return c.op[0] == '>' }

// ParseVERS reads a range of versions of a package. Its scheme is the package URL's type, and versions are compared by the
// rules of the package's ecosystem; where that has any, bounds that are no versions are refused. The package's own version
// does not matter.
func ParseVERS(text string, of purl.PURL) (VERS, error) {
	ecosystem, scheme := PackageOf(of).Ecosystem, of.Type
	ordered := ecosystem != ""
	r := VERS{compare: func(a, b string) (int, error) { return Compare(ecosystem, a, b) }}
	rest, ok := strings.CutPrefix(text, "vers:")
	if !ok {
		return r, errors.New("a range begins with vers: and the type of the package, such as vers:npm/>=2.0.0|<3.0.0")
	}
	given, list, ok := strings.Cut(rest, "/")
	if !ok {
		return r, fmt.Errorf("after vers:%s a slash and constraints are missing", scheme)
	}
	if given != scheme {
		return r, fmt.Errorf("the range is of %q and the package of %q: write vers:%s/…", given, scheme, scheme)
	}
	if strings.TrimSpace(list) == "*" {
		r.all = true
		return r, nil
	}
	parts := strings.Split(list, "|")
	if len(parts) > maxConstraints {
		return r, fmt.Errorf("it holds %d constraints; at most %d are allowed", len(parts), maxConstraints)
	}
	seen := map[string]bool{}
	for _, part := range parts {
		c, err := parseConstraint(part)
		if err != nil {
			return r, err
		}
		if seen[c.version] {
			return r, fmt.Errorf("version %q stands in it twice", c.version)
		}
		seen[c.version] = true
		if ordered {
			if _, err := r.compare(c.version, c.version); err != nil {
				return r, fmt.Errorf("%q is no version that can be compared: %w", c.version, err)
			}
		}
		switch c.op {
		case "=":
			r.equal = append(r.equal, c.version)
		case "!=":
			r.unequal = append(r.unequal, c.version)
		default:
			r.bounds = append(r.bounds, c)
		}
	}
	return r, r.order(ordered)
}

func parseConstraint(part string) (constraint, error) {
	part = strings.TrimSpace(part)
	c := constraint{op: "=", version: part}
	for _, op := range []string{">=", "<=", "!=", ">", "<", "="} {
		if v, ok := strings.CutPrefix(part, op); ok {
			c = constraint{op, strings.TrimSpace(v)}
			break
		}
	}
	plain, err := url.PathUnescape(c.version)
	if err != nil {
		return c, fmt.Errorf("%q is not percent-encoded: %w", c.version, err)
	}
	switch {
	case plain == "":
		return c, errors.New("a constraint has no version; give one like >=2.0.0, and * alone for all")
	case strings.ContainsAny(c.version, "<>=!*"):
		return c, fmt.Errorf("%q is no version: a constraint is one of = != < <= > >= and a version, and * stands alone", c.version)
	}
	c.version = plain
	return c, nil
}

// order sorts the bounds and drops those that others say already: after >=1, >=2 says nothing.
func (r *VERS) order(ordered bool) error {
	// != alone leaves everything else.
	r.all = len(r.bounds) == 0 && len(r.equal) == 0
	if !ordered {
		return nil
	}
	slices.SortStableFunc(r.bounds, func(a, b constraint) int {
		n, _ := r.compare(a.version, b.version) // each compares with itself
		return n
	})
	var kept []constraint
	for _, c := range r.bounds {
		if n := len(kept); n > 0 {
			if same, _ := r.compare(kept[n-1].version, c.version); same == 0 {
				return fmt.Errorf("%q and %q are one version", kept[n-1].version, c.version)
			}
			if before := kept[n-1]; before.opens() && c.opens() {
				continue
			} else if !before.opens() && !c.opens() {
				kept = kept[:n-1]
			}
		}
		kept = append(kept, c)
	}
	r.bounds = kept
	return nil
}

// Contains tells whether the version of a package URL lies in the range, and whether that is certain. Where it cannot be
// compared the answer is yes, and not certain: it is never taken for unaffected.
func (r VERS) Contains(p purl.PURL) (in, certain bool) {
	version := comparedVersion(p)
	if version == "" {
		return true, r.all && len(r.unequal) == 0
	}
	undecided := false
	is := func(list []string) bool {
		return slices.ContainsFunc(list, func(v string) bool {
			n, err := r.compare(version, v)
			undecided = undecided || err != nil && v != version
			return v == version || err == nil && n == 0
		})
	}
	switch {
	case is(r.equal):
		return true, true
	case is(r.unequal):
		return false, true
	}
	inside, decided := r.between(version)
	certain = decided && (!undecided || inside && len(r.unequal) == 0)
	return inside || !certain, certain
}

// ExactVERS is the range of the version of a package URL alone; empty when it has none.
func ExactVERS(p purl.PURL) string {
	version := comparedVersion(p)
	if version == "" {
		return ""
	}
	return "vers:" + p.Type + "/" + versVersion("", version)
}

// comparedVersion is what the ecosystem compares: of an RPM with the epoch, which its package URL has as a qualifier.
func comparedVersion(p purl.PURL) string {
	if p.Type == "rpm" {
		return PackageOf(p).Version
	}
	return p.Version
}

// between tells whether the version lies in one of the intervals that the bounds make: from one that opens to the one after
// it, which closes; from the beginning when the first closes, to the end when the last opens.
func (r VERS) between(version string) (inside, decided bool) {
	if r.all {
		return true, true
	}
	for i, c := range r.bounds {
		n, err := r.compare(version, c.version)
		if err != nil {
			return false, false
		}
		if n == 0 {
			return strings.HasSuffix(c.op, "="), true
		}
		if n < 0 {
			return !c.opens(), true
		}
		if i == len(r.bounds)-1 {
			return c.opens(), true
		}
	}
	return false, true
}
