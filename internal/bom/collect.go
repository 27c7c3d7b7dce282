package bom

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// collector gathers components so that each is there once, and remembers under which reference.
type collector struct {
	components []Component
	index      map[string]int    // identity → place in components
	stand      map[string]string // reference in the document → reference of the component or root that stands for it
	edges      map[Dependency]bool
	ordered    []Dependency
	roots      []string
	rootPURL   string
}

func newCollector(size int) *collector {
	return &collector{
		components: make([]Component, 0, size),
		index:      make(map[string]int, size),
		stand:      make(map[string]string, size),
		edges:      make(map[Dependency]bool, size),
	}
}

// root notes what the document describes.
func (c *collector) root(ref, packageURL string) {
	if ref == "" {
		return
	}
	c.roots = append(c.roots, ref)
	c.stand[ref] = ref
	c.rootPURL = packageURL
}

// add takes one component with cleaned fields. Of equal ones the first stands for all.
func (c *collector) add(component Component) {
	if len(c.roots) == 1 && (component.Ref == c.roots[0] || component.PURL != "" && component.PURL == c.rootPURL) {
		c.alias(component.Ref, c.roots[0])
		return
	}
	identity := "purl " + component.PURL
	if component.PURL == "" {
		identity = "name " + component.Name + "\x00" + component.Version
	}
	if at, ok := c.index[identity]; ok {
		kept := &c.components[at]
		kept.Licenses = append(kept.Licenses, component.Licenses...)
		kept.Digests = append(kept.Digests, component.Digests...)
		c.alias(component.Ref, kept.Ref)
		return
	}
	written := component.Ref
	component.Ref = cmp.Or(component.Ref, component.PURL, component.Name+"@"+component.Version)
	c.index[identity] = len(c.components)
	c.components = append(c.components, component)
	c.alias(written, component.Ref)
}

// alias lets a reference of the document mean a kept one. When a document gives one reference twice, the first wins.
func (c *collector) alias(ref, kept string) {
	if _, taken := c.stand[ref]; !taken && ref != "" {
		c.stand[ref] = kept
	}
}

// edge notes that from needs to. All components have to be added before.
func (c *collector) edge(from, to string) {
	from, fromKnown := c.stand[from]
	to, toKnown := c.stand[to]
	edge := Dependency{From: from, To: to}
	if !fromKnown || !toKnown || from == to || c.edges[edge] {
		return
	}
	c.edges[edge] = true
	c.ordered = append(c.ordered, edge)
}

// into completes a document with what was gathered.
func (c *collector) into(doc *Document) {
	direct, roots := map[string]bool{}, setOf(c.roots)
	for _, edge := range c.ordered {
		if roots[edge.From] {
			direct[edge.To] = true
		}
	}
	for i := range c.components {
		component := &c.components[i]
		component.Licenses = sortedSet(component.Licenses)
		component.Digests = sortedSet(component.Digests)
		component.Direct = direct[component.Ref]
	}
	doc.Roots = c.roots
	doc.Components = c.components
	doc.Dependencies = c.ordered
	doc.Subjects = sortedSet(doc.Subjects)
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// identify cleans what names a component. The place is said in errors.
func identify(place, ref, packageURL, name, version string) (Component, error) {
	component := Component{Ref: oneLine(ref), Name: oneLine(name), Version: oneLine(version)}
	for _, field := range []struct{ what, text string }{
		{"reference", component.Ref}, {"name", component.Name}, {"version", component.Version},
	} {
		if len(field.text) > MaxText {
			return Component{}, fmt.Errorf("%s: the %s is %d bytes long; at most %d are allowed", place, field.what, len(field.text), MaxText)
		}
	}
	if packageURL != "" {
		if p, err := purl.Parse(strings.TrimSpace(packageURL)); err == nil {
			component.PURL = p.String()
		}
	}
	// Tools do write packages without a name. What the document has instead tells them apart.
	component.Name = cmp.Or(component.Name, component.PURL, component.Ref)
	if component.Name == "" {
		return Component{}, fmt.Errorf("%s: the component has neither a name, a package URL nor a reference", place)
	}
	return component, nil
}

// oneLine makes runs of white space and control characters one space, because a name is a key in a table and a line
// on a page.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= utf8.RuneSelf && (unicode.IsSpace(r) || unicode.IsControl(r)) || r == 0x7f
	}) {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// license cleans a licence, and tells whether it says anything.
func license(s string) (string, bool) {
	s = oneLine(s)
	if s == "" || s == "NONE" || s == "NOASSERTION" {
		return "", false
	}
	if len(s) <= MaxLicense {
		return s, true
	}
	return cut(s, MaxLicense), true
}

// ellipsis ends a text that was cut. No SPDX expression can hold it.
const ellipsis = "…"

// cut gives at most size bytes of s, in whole characters, and an ellipsis.
func cut(s string, size int) string {
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size] + ellipsis
}

// digest writes a digest as "<algorithm>:<hex>" when it is one that identifies content. Both formats' spellings of the
// algorithms are known ("SHA-256", "SHA256").
func digest(algorithm, value string) (string, bool) {
	sizes := map[string]int{"SHA256": 32, "SHA384": 48, "SHA512": 64}
	algorithm = strings.ReplaceAll(strings.ToUpper(algorithm), "-", "")
	value = strings.ToLower(strings.TrimSpace(value))
	raw, err := hex.DecodeString(value)
	if err != nil || len(raw) == 0 || len(raw) != sizes[algorithm] {
		return "", false
	}
	return strings.ToLower(algorithm) + ":" + value, true
}

// subjects are the SHA-256 digests that name what a document describes: its checksums, and, of a container image,
// the digest that tools write as its version.
func subjects(root Component) []string {
	var found []string
	for _, d := range root.Digests {
		if canonical.IsDigest(d) {
			found = append(found, d)
		}
	}
	if canonical.IsDigest(root.Version) {
		found = append(found, root.Version)
	}
	if p, err := purl.Parse(root.PURL); err == nil && p.Type == "oci" && canonical.IsDigest(p.Version) {
		found = append(found, p.Version)
	}
	return found
}
