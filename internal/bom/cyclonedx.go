package bom

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// cycloneDXShape is what is read of a CycloneDX document in JSON. Each call gives new counters. The version is noted
// where it is read, because the library's error does not say which one it does not know.
func cycloneDXShape(version *string) *shape {
	licenses := array(object(map[string]*shape{
		"license":    object(map[string]*shape{"id": text(), "name": text()}),
		"expression": text(),
	}), &limit{what: "licences", max: maxLicenses})
	component := object(map[string]*shape{
		"bom-ref": text(), "group": text(), "name": text(), "version": text(), "purl": text(),
		"hashes": array(object(map[string]*shape{"alg": text(), "content": text()}),
			&limit{what: "hashes", max: maxHashes}),
		"licenses": licenses,
		"evidence": object(map[string]*shape{"licenses": licenses}),
	})
	components := array(component, &limit{what: "components", max: MaxComponents})
	component.members["components"] = components
	refs := array(text(), &limit{what: "dependencies", max: maxDependencies})
	return object(map[string]*shape{
		"bomFormat": text(),
		"specVersion": {kind: '"', rewrite: func(raw jsontext.Value) (jsontext.Value, error) {
			if err := json.Unmarshal(raw, version); err != nil {
				return nil, err
			}
			return raw, nil
		}},
		"metadata":   object(map[string]*shape{"component": component}),
		"components": components,
		"dependencies": array(object(map[string]*shape{"ref": text(), "dependsOn": refs}),
			&limit{what: "dependencies", max: maxDependencies}),
		"compositions": array(object(map[string]*shape{"aggregate": text(), "assemblies": refs, "dependencies": refs}),
			&limit{what: "compositions", max: MaxComponents}),
	}, "specVersion")
}

func parseCycloneDXJSON(content []byte) (Document, error) {
	var version string
	reduced, err := reduce(content, cycloneDXShape(&version))
	if err != nil {
		return Document{}, fmt.Errorf("the CycloneDX document cannot be read: %w", err)
	}
	switch version {
	case "1.2", "1.3", "1.4", "1.5", "1.6", "1.7":
	default:
		return Document{}, fmt.Errorf("the CycloneDX document says version %q; JSON is read in versions 1.2 to 1.7", oneLine(version))
	}
	var b cdx.BOM
	// It was checked, and is the program's own spelling now.
	trusted := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	if err := jsonv2.Unmarshal(reduced, &b, trusted...); err != nil {
		return Document{}, fmt.Errorf("the CycloneDX document cannot be read: %w", err)
	}
	return fromCycloneDX(&b, version)
}

// fromCycloneDX makes a document of what the library read, from JSON or XML.
func fromCycloneDX(b *cdx.BOM, version string) (Document, error) {
	doc := Document{Format: CycloneDX, SpecVersion: version}
	size := 0
	if b.Components != nil {
		size = len(*b.Components)
	}
	c := newCollector(size)
	if b.Metadata != nil && b.Metadata.Component != nil {
		described := b.Metadata.Component
		root, err := identifyCycloneDX("/metadata/component", described)
		if err != nil {
			return Document{}, fmt.Errorf("the CycloneDX document cannot be read: %w", err)
		}
		doc.Name = root.Name
		doc.Subjects = subjects(root)
		c.root(root.Ref, root.PURL)
		if err := addNested(c, "/metadata/component/components", described.Components); err != nil {
			return Document{}, err
		}
	}
	if err := addNested(c, "/components", b.Components); err != nil {
		return Document{}, err
	}
	if b.Dependencies != nil {
		for _, dependency := range *b.Dependencies {
			for _, to := range list(dependency.Dependencies) {
				c.edge(oneLine(dependency.Ref), oneLine(to))
			}
		}
	}
	c.into(&doc)
	doc.Complete = complete(b.Compositions, doc.Roots)
	return doc, nil
}

// addNested adds components with those inside them. The depth is bounded by that of the document.
func addNested(c *collector, place string, components *[]cdx.Component) error {
	for i := range list(components) {
		component := &(*components)[i]
		at := fmt.Sprintf("%s/%d", place, i)
		identified, err := identifyCycloneDX(at, component)
		if err != nil {
			return fmt.Errorf("the CycloneDX document cannot be read: %w", err)
		}
		c.add(identified)
		if err := addNested(c, at+"/components", component.Components); err != nil {
			return err
		}
	}
	return nil
}

func identifyCycloneDX(place string, component *cdx.Component) (Component, error) {
	name := component.Name
	if component.Group != "" && !strings.HasPrefix(name, component.Group+"/") {
		name = component.Group + "/" + name
	}
	out, err := identify(place, component.BOMRef, component.PackageURL, name, component.Version)
	if err != nil {
		return Component{}, err
	}
	out.Licenses = licensesOf(component.Licenses)
	if len(out.Licenses) == 0 && component.Evidence != nil {
		out.Licenses = licensesOf(component.Evidence.Licenses)
	}
	for _, hash := range list(component.Hashes) {
		if d, ok := digest(string(hash.Algorithm), hash.Value); ok {
			out.Digests = append(out.Digests, d)
		}
	}
	return out, nil
}

func licensesOf(licenses *cdx.Licenses) []string {
	if licenses == nil {
		return nil
	}
	var out []string
	for _, choice := range *licenses {
		said := []string{choice.Expression}
		if choice.License != nil {
			said = append(said, choice.License.ID)
			if choice.License.ID == "" {
				said = append(said, choice.License.Name)
			}
		}
		for _, s := range said {
			if l, ok := license(s); ok {
				out = append(out, l)
			}
		}
	}
	return out
}

// complete tells whether the compositions call the root complete. A composition that names nothing speaks of all.
func complete(compositions *[]cdx.Composition, roots []string) bool {
	said := false
	for _, composition := range list(compositions) {
		named := slices.Concat(list(composition.Assemblies), list(composition.Dependencies))
		about := len(named) == 0
		for _, ref := range named {
			about = about || len(roots) == 1 && oneLine(string(ref)) == roots[0]
		}
		if !about {
			continue
		}
		if composition.Aggregate != cdx.CompositionAggregateComplete {
			return false
		}
		said = true
	}
	return said
}

// list is what an optional list holds.
func list[T any](l *[]T) []T {
	if l == nil {
		return nil
	}
	return *l
}
