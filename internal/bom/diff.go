package bom

import (
	"slices"

	"github.com/plimsoll/plimsoll/internal/purl"
)

// Changes are what differs between two lists of components, each list in the order of the components' identities.
type Changes struct {
	Added   []Component
	Removed []Component
	Changed []Change
}

// Change is one package with another version or other licences.
type Change struct{ From, To Component }

// Diff compares two lists by package: the package URL without its version, or without one the name. Components with
// the same version are one, and changed when their licences are not the same. Of what is left of a package, one
// component on each side is a change of version; several are added and removed, because nobody can say which became
// which. References, digests and directness are not compared.
func Diff(a, b []Component) Changes {
	before, after := byPackage(a), byPackage(b)
	var changes Changes
	for _, key := range sortedSet(slices.Concat(keys(before), keys(after))) {
		changes.compare(before[key], after[key])
	}
	return changes
}

// compare takes the versions of one package.
func (c *Changes) compare(before, after map[string]Component) {
	var gone, come []Component
	for _, identity := range sortedSet(keys(before)) {
		from := before[identity]
		to, stays := after[identity]
		switch {
		case !stays:
			gone = append(gone, from)
		case !slices.Equal(from.Licenses, to.Licenses):
			c.Changed = append(c.Changed, Change{From: from, To: to})
		}
	}
	for _, identity := range sortedSet(keys(after)) {
		if _, was := before[identity]; !was {
			come = append(come, after[identity])
		}
	}
	if len(gone) == 1 && len(come) == 1 {
		c.Changed = append(c.Changed, Change{From: gone[0], To: come[0]})
		return
	}
	c.Removed = append(c.Removed, gone...)
	c.Added = append(c.Added, come...)
}

// byPackage gives package → identity → component. Equal components become one, as when a document is read.
func byPackage(list []Component) map[string]map[string]Component {
	packages := make(map[string]map[string]Component, len(list))
	for _, c := range list {
		key := packageOf(c)
		if packages[key] == nil {
			packages[key] = map[string]Component{}
		}
		identity := mergedRef(c)
		if known, ok := packages[key][identity]; ok {
			c = union(known, c)
		}
		c.Licenses, c.Digests = sortedSet(slices.Clone(c.Licenses)), sortedSet(slices.Clone(c.Digests))
		packages[key][identity] = c
	}
	return packages
}

// packageOf names a component's package over all its versions.
func packageOf(c Component) string {
	if p, err := purl.Parse(c.PURL); err == nil {
		return p.WithoutVersion()
	}
	return "name:" + c.Name
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	return list
}
