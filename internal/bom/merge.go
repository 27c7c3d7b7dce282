package bom

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// RootRef is the reference of the one thing that merged documents describe together.
const RootRef = "root"

// Merged is what several documents say together of one thing.
type Merged struct {
	// Components are the parts of all documents, each once, in the order of their references. A reference is the
	// package URL, or made of name and version: the same part has the same one in every merge. None is RootRef.
	Components []Component
	// Dependencies are the edges of all documents, sorted. What a single root of a document needs, RootRef needs; of
	// several roots, which are components, RootRef needs each.
	Dependencies []Dependency
	// Complete is true when there is a document and each says that it is complete.
	Complete bool
}

// Merge makes one answer of several. The order of the documents does not matter.
func Merge(docs ...Document) Merged {
	m := merger{components: map[string]Component{}, edges: map[Dependency]bool{}}
	complete := len(docs) > 0
	for _, doc := range docs {
		complete = complete && doc.Complete
		m.add(doc)
	}
	out := Merged{Complete: complete}
	for _, c := range m.components {
		toRoot := Dependency{From: RootRef, To: c.Ref}
		c.Direct = c.Direct || m.edges[toRoot]
		if c.Direct {
			m.edges[toRoot] = true
		}
		c.Licenses, c.Digests = sortedSet(c.Licenses), sortedSet(c.Digests)
		out.Components = append(out.Components, c)
	}
	for edge := range m.edges {
		out.Dependencies = append(out.Dependencies, edge)
	}
	slices.SortFunc(out.Components, func(a, b Component) int { return strings.Compare(a.Ref, b.Ref) })
	slices.SortFunc(out.Dependencies, func(a, b Dependency) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return out
}

type merger struct {
	components map[string]Component // by the reference in the merge
	edges      map[Dependency]bool
}

func (m *merger) add(doc Document) {
	refs := make(map[string]string, len(doc.Components)) // reference in the document → in the merge
	for _, c := range doc.Components {
		ref := mergedRef(c)
		if _, taken := refs[c.Ref]; !taken {
			refs[c.Ref] = ref
		}
		if known, ok := m.components[ref]; ok {
			m.components[ref] = union(known, c)
			continue
		}
		c.Ref, c.Licenses, c.Digests = ref, slices.Clone(c.Licenses), slices.Clone(c.Digests)
		m.components[ref] = c
	}
	for _, root := range doc.Roots {
		if ref, part := refs[root]; part && ref != RootRef {
			m.edges[Dependency{From: RootRef, To: ref}] = true
		} else {
			refs[root] = RootRef
		}
	}
	for _, edge := range doc.Dependencies {
		from, to := refs[edge.From], refs[edge.To]
		if from != "" && to != "" && to != RootRef && from != to {
			m.edges[Dependency{From: from, To: to}] = true
		}
	}
}

// mergedRef names a component by what makes it equal to others.
func mergedRef(c Component) string {
	if c.PURL != "" {
		return c.PURL
	}
	return "name:" + url.QueryEscape(c.Name) + "@" + url.QueryEscape(c.Version)
}

// union is what two documents say of the same component. Of two names or versions under one package URL, the first in
// byte order is kept, so that the order of the documents does not matter.
func union(a, b Component) Component {
	a.Name, a.Version = min(a.Name, b.Name), min(a.Version, b.Version)
	a.Licenses = append(a.Licenses, b.Licenses...)
	a.Digests = append(a.Digests, b.Digests...)
	a.Direct = a.Direct || b.Direct
	return a
}
