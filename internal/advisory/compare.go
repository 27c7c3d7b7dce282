package advisory

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/osv-scalibr/semantic"
)

// Compare orders two versions by the rules of an ecosystem, of which the part after a colon ("Debian:12") does not count.
// It gives -1, 0 or 1. It fails when the ecosystem is not known and when either text is not a version in it: the name of
// a branch, a commit, a placeholder. Nothing is guessed, because a guess would be a version that counts as unaffected.
func Compare(ecosystem, a, b string) (int, error) {
	base, _, _ := strings.Cut(ecosystem, ":")
	rules, err := rulesOf(spelled(base))
	if err != nil {
		return 0, err
	}
	left, err := rules.parse(a)
	if err != nil {
		return 0, err
	}
	right, err := rules.parse(b)
	if err != nil {
		return 0, err
	}
	return compare(left, right)
}

// rules are how versions of one ecosystem are read. Semver-like ecosystems want more than the library asks for.
type rules struct {
	ecosystem string // as it is called in messages
	order     string // the ecosystem whose order the library knows
	shape     func(string) (string, error)
}

// rulesOf knows the ecosystems that the library orders, and those that are ordered as one of these.
func rulesOf(base string) (rules, error) {
	r := rules{ecosystem: base, order: base, shape: hasDigit}
	switch base {
	case "npm", "crates.io", "Hex", "Pub", "SwiftURL", "ConanCenter", "Bitnami", "Bioconductor", "GHC":
		r.shape = semverShape
	case "GitHub Actions", "Kubernetes", "VSCode":
		r.order, r.shape = "npm", semverShape
	case "Julia":
		r.order, r.shape = "NuGet", juliaShape
	case "Go":
		r.shape = goShape
	case "PyPI":
		r.shape = pythonShape
	case "NuGet", "Packagist", "RubyGems", "CRAN", "Hackage", "Alpine", "Alpaquita", "BellSoft Hardened Containers", "Chainguard",
		"MinimOS", "Wolfi":
		r.shape = startsWithNumber
	case "Maven", "Debian", "Ubuntu", "AlmaLinux", "Mageia", "openEuler", "openSUSE", "Red Hat", "Rocky Linux", "SUSE":
	case "Echo":
		r.order = "Debian"
	case "Azure Linux", "Photon OS":
		r.order = "Red Hat"
	default:
		return rules{}, fmt.Errorf("versions of the ecosystem %q cannot be ordered: its rules are not known", base)
	}
	return r, nil
}

func (r rules) parse(text string) (v semantic.Version, err error) {
	switch {
	case len(text) > MaxVersion:
		return nil, fmt.Errorf("the version is %d bytes long; at most %d are compared", len(text), MaxVersion)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return nil, errors.New("the version holds control characters or is not UTF-8")
	}
	// The library is given bytes from outside: should it ever panic, that is one version that cannot be read.
	defer func() {
		if recover() != nil {
			v, err = nil, fmt.Errorf("%q is not a version of %s", text, r.ecosystem)
		}
	}()
	shaped, err := r.shape(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%q is not a version of %s: %w", text, r.ecosystem, err)
	}
	v, err = semantic.Parse(shaped, r.order)
	if err != nil {
		return nil, fmt.Errorf("%q is not a version of %s: %w", text, r.ecosystem, err)
	}
	return v, nil
}

func compare(a, b semantic.Version) (order int, err error) {
	defer func() {
		if recover() != nil {
			order, err = 0, errors.New("the versions cannot be compared")
		}
	}()
	order, err = a.Compare(b)
	return cmp.Compare(order, 0), err
}

func hasDigit(s string) (string, error) {
	if !strings.ContainsAny(s, "0123456789") || strings.Contains(s, "${") {
		return "", errors.New("it holds no number")
	}
	return s, nil
}

func startsWithNumber(s string) (string, error) {
	s = withoutV(s)
	if s == "" || s[0] < '0' || s[0] > '9' {
		return "", errors.New("it does not start with a number")
	}
	if strings.HasSuffix(s, ".x-dev") {
		return "", errors.New("it is a branch")
	}
	return s, nil
}

func withoutV(s string) string {
	if len(s) > 0 && (s[0] == 'v' || s[0] == 'V') {
		return s[1:]
	}
	return s
}

// semver is Semantic Versioning with numbers left out at the end, as tags and advisories write them ("1.2", "4").
var semver = regexp.MustCompile(`^\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)

func semverShape(s string) (string, error) {
	s = withoutV(s)
	if !semver.MatchString(s) {
		return "", errors.New("it does not read as MAJOR.MINOR.PATCH with a pre-release or build after it")
	}
	return s, nil
}

// julia has builds that are in order, which packages of libraries count by. NuGet's fourth number is that.
var julia = regexp.MustCompile(`^([^-+]+)\+(\d+)$`)

func juliaShape(s string) (string, error) {
	s, err := semverShape(s)
	if err != nil {
		return "", err
	}
	m := julia.FindStringSubmatch(s)
	if m == nil {
		return s, nil
	}
	return m[1] + strings.Repeat(".0", 2-strings.Count(m[1], ".")) + "." + m[2], nil
}

// goRelease is how releases of Go itself are called: go1.21rc2, go1.22.1 X:boringcrypto.
var goRelease = regexp.MustCompile(`^(?:go)?(\d+\.\d+)(\.\d+)?(?:(alpha|beta|rc)(\d+))?(?:-X:\S*| .*)?$`)

func goShape(s string) (string, error) {
	m := goRelease.FindStringSubmatch(s)
	if m == nil {
		return semverShape(s)
	}
	s = m[1] + cmp.Or(m[2], ".0")
	if m[3] != "" {
		s += "-" + m[3] + "." + m[4]
	}
	return s, nil
}

// python is PEP 440. The library puts anything else before all of it, and so into every range that has no beginning.
var python = regexp.MustCompile(`^(?i)v?(\d+!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?` +
	`(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?$`)

func pythonShape(s string) (string, error) {
	if !python.MatchString(s) {
		return "", errors.New("it does not read as PEP 440 says")
	}
	return s, nil
}

// sameVersion tells whether two texts name one version, without a leading v and by the rules where they have any.
func sameVersion(r rules, text string, version semantic.Version, listed string) bool {
	if listed == text || withoutV(listed) == withoutV(text) {
		return true
	}
	if version == nil || numbersOf(listed) != numbersOf(text) {
		return false
	}
	other, err := r.parse(listed)
	if err != nil {
		return false
	}
	order, err := compare(version, other)
	return err == nil && order == 0
}

// numbersOf is equal for versions that are equal by any rules: the numbers before build metadata, without zeros. It is
// asked first because lists are long and comparing is slow.
func numbersOf(version string) string {
	version, _, _ = strings.Cut(version, "+")
	var out strings.Builder
	inside := false
	for _, c := range []byte(version) {
		digit := c >= '0' && c <= '9'
		switch {
		case digit && (inside || c != '0'):
			inside = true
			out.WriteByte(c)
		case !digit && inside:
			inside = false
			out.WriteByte('.')
		}
	}
	return strings.TrimSuffix(out.String(), ".")
}
