package advisory

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/purl"
)

// Package is a version of a package, as Affects judges it.
type Package struct {
	// Ecosystem is one of OSV, without a release; "" when there is none for it, and only PURL can be compared.
	Ecosystem string
	// Release is that of the distribution, such as "12" or "22.04"; "" when it is not known or there is none.
	Release string
	// Names are those under which advisories may speak of it. The first is that of Key.
	Names []string
	// Version is the version that advisories speak of: of the source package where there is one. "" when not known.
	Version string
	// PURL is in canonical form and without a version.
	PURL string
}

// PackageOf says what a package URL is called in advisories:
//   - a package of a distribution by the name that its advisories use: that of the source package, where a tool writes it
//     (qualifier upstream, source, sourcerpm or origin), or for Red Hat and AlmaLinux the one that is installed; its release
//     is in the qualifier distro, or else in the version ("…+deb12u1", "….el9");
//   - a Go module with a subpath by the path with and without it, because some tools write packages so and some all of a
//     module's path but its first three parts.
func PackageOf(p purl.PURL) Package {
	out := Package{Version: p.Version, PURL: p.WithoutVersion()}
	var name string
	out.Ecosystem, name = ecosystemOf(p)
	if out.Ecosystem == "" {
		return out
	}
	out.Names = []string{name}
	switch packagingOf(out.Ecosystem) {
	case "deb", "apk":
		if source, version := sourceOf(p); source != "" {
			out.Names[0], out.Version = source, cmp.Or(version, out.Version)
		}
	case "rpm":
		if source, _ := sourceOf(p); source != "" && source != name {
			out.Names = append(out.Names, source)
			if !namesInstalled(out.Ecosystem) {
				slices.Reverse(out.Names)
			}
		}
		if epoch := qualifier(p, "epoch"); epoch != "" && epoch != "0" && out.Version != "" && !strings.Contains(out.Version, ":") {
			out.Version = epoch + ":" + out.Version
		}
	default:
		if p.Subpath != "" && (out.Ecosystem == "Go" || out.Ecosystem == "GitHub Actions") {
			out.Names = append(out.Names, name+"/"+p.Subpath)
		}
		return out
	}
	out.Release = releaseOf(out.Ecosystem, qualifier(p, "distro"), p.Version)
	return out
}

// Key is where the package and the advisories that may speak of it meet: both sides index by it. It is the ecosystem and
// the name ("npm:@babel/core", "Debian:openssl"), or the package URL where there is no ecosystem. Whether an advisory
// found by it speaks of the package, its release and version, Affects says.
func (p Package) Key() string {
	if p.Ecosystem == "" {
		return p.PURL
	}
	return key(p.Ecosystem, p.Names[0])
}

// Keys are the keys of all packages that the advisory may speak of, sorted, each once.
func (r Record) Keys() []string {
	var keys []string
	for _, a := range r.Affected {
		if base, _ := a.ecosystem(); base != "" {
			keys = append(keys, key(base, a.Name))
		}
		if a.byPURL() {
			keys = append(keys, a.PURL)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// key leaves out of a Go module's path what is behind its first three parts, which some tools write as the subpath.
func key(base, name string) string {
	name = foldName(base, name)
	if parts := strings.SplitN(name, "/", 4); base == "Go" && len(parts) == 4 {
		name = strings.Join(parts[:3], "/")
	}
	return base + ":" + name
}

// speaksOf tells whether the entry is about the package, by any of its names.
func (a Affected) speaksOf(p Package) bool {
	if a.byPURL() && a.PURL == p.PURL {
		return true
	}
	base, _ := a.ecosystem()
	if base == "" || base != p.Ecosystem {
		return false
	}
	own := foldName(base, a.Name)
	return slices.ContainsFunc(p.Names, func(name string) bool { return foldName(base, name) == own })
}

// byPURL tells whether the entry is of an ecosystem that no package URL maps to, and has one nonetheless.
func (a Affected) byPURL() bool {
	base, _ := a.ecosystem()
	return a.PURL != "" && schemeOf(base) == "generic"
}

func qualifier(p purl.PURL, key string) string {
	for _, q := range p.Qualifiers {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// sourceOf gives the name of the source package and, where it has one of its own, its version; "" when nothing says.
// Syft and Trivy write upstream ("openssl", "gcc-12@12.2.0-13", "openssl-3.0.7-18.el9_2.src.rpm"); others the file of the
// source RPM, Alpine's origin, or source with the version in a qualifier of its own.
func sourceOf(p purl.PURL) (name, version string) {
	for _, key := range [...]string{"upstream", "source", "sourcerpm", "origin"} {
		text := qualifier(p, key)
		if text == "" {
			continue
		}
		if m := sourceRPM.FindStringSubmatch(text); m != nil {
			return m[1], ""
		}
		name, version, _ = strings.Cut(text, "@")
		return name, cmp.Or(version, qualifier(p, "sourceversion"))
	}
	return "", ""
}

// sourceRPM is the file name of a source package: name, version, release.
var sourceRPM = regexp.MustCompile(`^(.+)-[^-]+-[^-]+\.(?:no)?src\.rpm$`)

// ecosystem splits "Debian:12" into its base, as OSV spells it, and what follows.
func (a Affected) ecosystem() (base, suffix string) {
	base, suffix, _ = strings.Cut(a.Ecosystem, ":")
	return spelled(base), suffix
}
