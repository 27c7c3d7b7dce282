package bom

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxElements is the largest number of elements in the graph of an SPDX 3 document. Most are skipped: files, people,
// annotations.
const maxElements = 2_000_000

// spdx3Context is how the context of an SPDX 3 document is written.
var spdx3Context = regexp.MustCompile(`^https?://spdx\.org/rdf/(\d+\.\d+(?:\.\d+)?)/`)

// graph3 gathers what an SPDX 3 graph says, element by element; they come in any order.
type graph3 struct {
	// Used again for every element, because there may be millions.
	shape   *shape
	reduced bytes.Buffer
	reducer reducer
	element element3

	documents, boms []collection3
	packages        []Component
	edges           []Dependency
	described       []Dependency
	completeness    map[string]string // from → the worst of what its edges say
	licenses        licenses3
	licensed        []licensed3

	parts, words limit
}

// collection3 is a document or bill of materials inside the graph.
type collection3 struct {
	id, name string
	roots    []string
}

func parseSPDX3(content []byte, context string) (Document, error) {
	version := spdx3Context.FindStringSubmatch(context)
	if version == nil || version[1] != "3.0" && !strings.HasPrefix(version[1], "3.0.") {
		return Document{}, fmt.Errorf("the SPDX document says the context %q; of SPDX 3, version 3.0 is read", oneLine(context))
	}
	g := &graph3{
		completeness: map[string]string{},
		licenses:     licenses3{said: map[string]license3{}, done: map[string]string{}},
		parts:        limit{what: "packages", max: MaxComponents},
		words:        limit{what: "licences", max: maxLicenses},
		shape:        element3Shape(),
		reducer:      reducer{in: new(jsontext.Decoder), out: new(jsontext.Encoder)},
	}
	element := &shape{kind: '{', rewrite: g.take}
	whole := object(map[string]*shape{
		"@graph": array(element, &limit{what: "elements", max: maxElements}),
	}, "@graph")
	if _, err := reduce(content, whole); err != nil {
		return Document{}, fmt.Errorf("the SPDX document cannot be read: %w", err)
	}
	return g.document(version[1]), nil
}

// document puts together what was gathered.
func (g *graph3) document(version string) Document {
	doc := Document{Format: SPDX, SpecVersion: version}
	roots := g.roots()
	for _, named := range slices.Concat(g.documents, g.boms) {
		doc.Name = cmp.Or(doc.Name, named.name)
	}
	g.license()
	c := newCollector(len(g.packages))
	described := setOf(roots)
	byRef := make(map[string]Component, len(roots))
	for _, p := range g.packages {
		if described[p.Ref] {
			byRef[p.Ref] = p
		}
	}
	for _, ref := range roots {
		root := byRef[ref]
		doc.Subjects = append(doc.Subjects, subjects(root)...)
		doc.Name = cmp.Or(doc.Name, root.Name)
		c.root(ref, root.PURL)
	}
	for _, p := range g.packages {
		c.add(p)
	}
	for _, edge := range g.edges {
		c.edge(edge.From, edge.To)
	}
	c.into(&doc)
	doc.Complete = len(doc.Roots) == 1 && g.completeness[doc.Roots[0]] == "complete"
	return doc
}

// roots are what the document describes, or where it has no document what its bills of materials do. A root that is a
// bill of materials stands for that one's roots.
func (g *graph3) roots() []string {
	inside := map[string][]string{}
	var next []string
	for _, c := range slices.Concat(g.documents, g.boms) {
		inside[c.id] = append(inside[c.id], c.roots...)
	}
	for _, edge := range g.described {
		if _, known := inside[edge.From]; known {
			inside[edge.From] = append(inside[edge.From], edge.To)
		}
	}
	starts := g.documents
	if len(starts) == 0 {
		starts = g.boms
	}
	for _, c := range starts {
		next = append(next, c.id)
	}
	var roots []string
	seen := map[string]bool{}
	for len(next) > 0 {
		id := oneLine(next[0])
		next = next[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		if more, collection := inside[id]; collection {
			next = append(next, more...)
		} else if id != "" {
			roots = append(roots, id)
		}
	}
	return roots
}
