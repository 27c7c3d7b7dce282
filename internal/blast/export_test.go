package blast

import "github.com/plimsoll/plimsoll/internal/advisory"

// InRange tells whether a version of an ecosystem may lie in a range.
func InRange(text, scheme, ecosystem, version string) (bool, error) {
	r, err := parseVERS(text, scheme, func(a, b string) (int, error) { return advisory.Compare(ecosystem, a, b) }, ecosystem != "")
	if err != nil {
		return false, err
	}
	return r.holds(version), nil
}

// Inert is how a cell of an export is written.
func Inert(cell string) string { return inert(cell) }
