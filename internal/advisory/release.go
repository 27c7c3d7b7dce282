package advisory

import (
	"regexp"
	"strings"
)

var (
	wholeNumber   = regexp.MustCompile(`\d+`)
	twoNumbers    = regexp.MustCompile(`\d+\.\d+`)
	enterprise    = regexp.MustCompile(`\bel(\d+)`)
	debianUpdate  = regexp.MustCompile(`[+~]deb(\d+)u\d`)
	servicePack   = regexp.MustCompile(`(\d+)(?:[. -]*(?:sp)?(\d+))?`)
	longTerm      = regexp.MustCompile(`\d+\.\d+-lts[a-z0-9-]*`)
	fipsComponent = regexp.MustCompile(`(?i)fips`)
)

// standing is whether an entry speaks of the release that a package is of.
type standing int

const (
	speaks standing = iota
	silent
	unknown
)

// release tells whether the entry speaks of the package's release. Ecosystems that are no distributions have none: what
// follows their colon names another registry, of which a package URL rarely tells.
func (a Affected) release(p Package) standing {
	base, suffix := a.ecosystem()
	if suffix == "" || packagingOf(base) == "" {
		return speaks
	}
	// Certified builds are packages of their own, with versions that say so.
	if base == "Ubuntu" && fipsComponent.MatchString(suffix) && !fipsComponent.MatchString(p.Version) {
		return silent
	}
	want := releaseIn(base, strings.ToLower(suffix))
	switch {
	case want == "" || p.Release == "":
		return unknown
	case want == p.Release:
		return speaks
	}
	return silent
}

// releaseOf reads the qualifier distro of a package URL, as different tools write it ("debian-12", "bookworm",
// "rhel-9.2"), and where there is none the mark that a distribution puts into its versions.
func releaseOf(base, distro, version string) string {
	if found := releaseIn(base, strings.ToLower(distro)); found != "" {
		return found
	}
	var mark *regexp.Regexp
	switch base {
	case "Debian":
		mark = debianUpdate
	case "Red Hat", "AlmaLinux", "Rocky Linux":
		mark = enterprise
	default:
		return ""
	}
	if m := mark.FindStringSubmatch(version); m != nil {
		return m[1]
	}
	return ""
}

// releaseIn finds the release in what an advisory or a package URL says in lower case, in one spelling for both; "" when
// it says none that is known.
func releaseIn(base, text string) string {
	switch base {
	case "Debian", "Ubuntu":
		if number := codename(text); number != "" {
			return number
		}
		if base == "Ubuntu" {
			return twoNumbers.FindString(text)
		}
		return wholeNumber.FindString(text)
	case "AlmaLinux", "Rocky Linux", "Mageia", "Azure Linux":
		return wholeNumber.FindString(text)
	case "Red Hat":
		return redHatRelease(text)
	case "Alpine", "Photon OS":
		if strings.Contains(text, "edge") {
			return "edge"
		}
		return twoNumbers.FindString(text)
	case "openSUSE":
		if strings.Contains(text, "tumbleweed") {
			return "tumbleweed"
		}
		return twoNumbers.FindString(text)
	case "SUSE":
		if m := servicePack.FindStringSubmatch(text); m != nil {
			return strings.TrimSuffix(m[1]+"."+m[2], ".")
		}
	case "openEuler":
		return longTerm.FindString(text)
	}
	return ""
}

// redHatRelease reads the product of a CPE, such as "enterprise_linux:9::appstream" or "openshift:4.12::el8", and the
// name of a system, such as "rhel-9.2". A product of another version and no "el" says no release.
func redHatRelease(text string) string {
	if m := enterprise.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	for _, system := range []string{"enterprise_linux", "rhel", "redhat"} {
		if rest, ok := strings.CutPrefix(text, system); ok {
			return wholeNumber.FindString(rest)
		}
	}
	return ""
}

func codename(text string) string {
	names := [...]struct{ name, number string }{
		{"jessie", "8"},
		{"stretch", "9"},
		{"buster", "10"},
		{"bullseye", "11"},
		{"bookworm", "12"},
		{"trixie", "13"},
		{"forky", "14"},
		{"duke", "15"},
		{"trusty", "14.04"},
		{"xenial", "16.04"},
		{"bionic", "18.04"},
		{"focal", "20.04"},
		{"jammy", "22.04"},
		{"mantic", "23.10"},
		{"noble", "24.04"},
		{"oracular", "24.10"},
		{"plucky", "25.04"},
		{"questing", "25.10"},
	}
	for _, c := range names {
		if strings.Contains(text, c.name) {
			return c.number
		}
	}
	return ""
}
