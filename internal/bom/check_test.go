package bom_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// checkDocument holds what is true of every document that parses.
func checkDocument(t *testing.T, name string, doc bom.Document) {
	t.Helper()
	if doc.Format != bom.CycloneDX && doc.Format != bom.SPDX || doc.SpecVersion == "" {
		t.Errorf("%s: format %q, version %q", name, doc.Format, doc.SpecVersion)
	}
	if len(doc.Components) > bom.MaxComponents {
		t.Errorf("%s: %d components", name, len(doc.Components))
	}
	for _, subject := range doc.Subjects {
		if !canonical.IsDigest(subject) {
			t.Errorf("%s: the subject %q is no digest", name, subject)
		}
	}
	known := map[string]bool{}
	for _, root := range doc.Roots {
		known[root] = true
	}
	identities := map[string]bool{}
	for _, c := range doc.Components {
		known[c.Ref] = true
		identity := c.PURL
		if identity == "" {
			identity = c.Name + "\x00" + c.Version
		}
		if identities[identity] {
			t.Errorf("%s: the component %q is there twice", name, identity)
		}
		identities[identity] = true
		checkComponent(t, name, c)
	}
	edges := map[bom.Dependency]bool{}
	for _, edge := range doc.Dependencies {
		if !known[edge.From] || !known[edge.To] || edge.From == edge.To || edges[edge] {
			t.Errorf("%s: the dependency %v is unknown, circular or double", name, edge)
		}
		edges[edge] = true
	}
}

func checkComponent(t *testing.T, name string, c bom.Component) {
	t.Helper()
	if c.Name == "" || c.Ref == "" || len(c.Name) > bom.MaxText || len(c.Version) > bom.MaxText {
		t.Errorf("%s: name %q, reference %q, version %q", name, c.Name, c.Ref, c.Version)
	}
	if c.PURL != "" {
		if p, err := purl.Parse(c.PURL); err != nil || p.String() != c.PURL {
			t.Errorf("%s: the package URL %q is not canonical: %v", name, c.PURL, err)
		}
	}
	if !slices.IsSorted(c.Licenses) || len(slices.Compact(slices.Clone(c.Licenses))) != len(c.Licenses) {
		t.Errorf("%s: %s: licences %q", name, c.Name, c.Licenses)
	}
	for _, l := range c.Licenses {
		if l == "" || l == "NONE" || l == "NOASSERTION" || len(l) > bom.MaxLicense+len("…") || strings.ContainsAny(l, "\n\x00") {
			t.Errorf("%s: %s: licence %q", name, c.Name, l)
		}
	}
	for _, d := range c.Digests {
		if !strings.HasPrefix(d, "sha") || strings.ToLower(d) != d {
			t.Errorf("%s: %s: digest %q", name, c.Name, d)
		}
	}
}
