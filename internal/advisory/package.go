package advisory

import (
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
	// Names are those under which advisories speak of it, of which one is enough.
	Names []string
	// Version is the version that advisories speak of: of the source package where there is one. "" when not known.
	Version string
	// PURL is in canonical form and without a version.
	PURL string
}

// Key is where a package and the advisories that speak of it meet: both sides index by it. A key without an ecosystem
// holds a package URL as its name. The release of a distribution is not in it; Affects looks at that.
type Key struct{ Ecosystem, Name string }

// PackageOf says what a package URL is called in advisories. A package of Debian, Ubuntu or Alpine is known by its source
// package (qualifier upstream, where a tool writes it), one of an RPM distribution by both names; the release comes from
// the qualifier distro, or else from the version ("…+deb12u1", "….el9"). A Go package or action with a subpath is
// known by its path with and without it.
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
		if source, version, _ := strings.Cut(qualifier(p, "upstream"), "@"); source != "" {
			out.Names[0] = source
			if version != "" {
				out.Version = version
			}
		}
	case "rpm":
		if source := sourceOfRPM(qualifier(p, "upstream")); source != "" && source != name {
			out.Names = append(out.Names, source)
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

func qualifier(p purl.PURL, key string) string {
	for _, q := range p.Qualifiers {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// sourceRPM is the file name of a source package: name, version, release.
var sourceRPM = regexp.MustCompile(`^(.+)-[^-]+-[^-]+\.(?:no)?src\.rpm$`)

func sourceOfRPM(upstream string) string {
	if m := sourceRPM.FindStringSubmatch(upstream); m != nil {
		return m[1]
	}
	name, _, _ := strings.Cut(upstream, "@")
	return name
}

// Keys are the keys under which advisories that speak of the package stand: one, or two where it has two names.
func (p Package) Keys() []Key {
	if p.Ecosystem == "" {
		return []Key{{Name: p.PURL}}
	}
	keys := make([]Key, len(p.Names))
	for i, name := range p.Names {
		keys[i] = Key{Ecosystem: p.Ecosystem, Name: foldName(p.Ecosystem, name)}
	}
	return keys
}

// Keys are the keys under which packages stand that the entry speaks of; none when it names no package. Of an ecosystem
// that no package URL maps to, the entry's own package URL is a key.
func (a Affected) Keys() []Key {
	if a.Ecosystem == "" {
		return nil
	}
	base, _ := a.ecosystem()
	keys := []Key{{Ecosystem: base, Name: foldName(base, a.Name)}}
	if schemeOf(base) != "generic" || a.PURL == "" {
		return keys
	}
	p, err := purl.Parse(a.PURL)
	if err != nil {
		return keys
	}
	return append(keys, PackageOf(p).Keys()...)
}

// Keys are those of all entries, each once.
func (r Record) Keys() []Key {
	var keys []Key
	for _, a := range r.Affected {
		keys = append(keys, a.Keys()...)
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return strings.Compare(a.Ecosystem+"\x00"+a.Name, b.Ecosystem+"\x00"+b.Name)
	})
	return slices.Compact(keys)
}

// ecosystem splits "Debian:12" into its base and what follows.
func (a Affected) ecosystem() (base, suffix string) {
	base, suffix, _ = strings.Cut(a.Ecosystem, ":")
	return base, suffix
}
