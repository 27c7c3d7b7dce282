package evidence

import (
	"encoding/json"
	"slices"

	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// part is a component as an SBOM lists it. Identity, purl, name and version go to a row that all SBOMs share.
type part struct {
	identity      string
	purl          *string // nil when none is known
	name, version string
	licenses      []string // sorted, never nil
	licensesJSON  string
	direct        bool
	id            int // of the row, 0 while it is not known
}

// maxIdentity bounds the identity of a component without a purl, in bytes: it is a key in an index. Purls are shorter.
const maxIdentity = 1024

// partsOf gives the components sorted by identity, each once.
func partsOf(components []bom.Component) []part {
	parts := make([]part, len(components))
	for i, c := range components {
		parts[i] = partOf(c)
	}
	slices.SortStableFunc(parts, byIdentity)
	kept := parts[:0]
	for _, p := range parts {
		if n := len(kept); n > 0 && kept[n-1].identity == p.identity {
			kept[n-1].licenses = union(kept[n-1].licenses, p.licenses)
			kept[n-1].direct = kept[n-1].direct || p.direct
			continue
		}
		kept = append(kept, p)
	}
	for i, p := range kept {
		if kept[i].licensesJSON = "[]"; len(p.licenses) > 0 {
			text, _ := json.Marshal(p.licenses) // texts always can be
			kept[i].licensesJSON = string(text)
		}
	}
	return kept
}

// partOf identifies a component. Everything in the shared row follows from its identity: otherwise whoever is first to
// list a purl could give it another name or version, and everybody's gates would see that.
func partOf(c bom.Component) part {
	p := part{name: c.Name, version: c.Version, licenses: union(c.Licenses, nil), direct: c.Direct}
	if c.PURL != "" {
		if parsed, err := purl.Parse(c.PURL); err == nil {
			if parsed.HasVersion() || c.Version == "" {
				return p.named(c.PURL, parsed) // the engine gives it in canonical form
			}
			completed := withVersion(parsed, c.Version)
			return p.named(completed.String(), completed)
		}
	}
	// No purl begins so, and no name or version holds a line break: the engine makes them one line.
	p.identity = "name:" + c.Name + "\n" + c.Version
	if len(p.identity) > maxIdentity {
		p.identity = "name:" + canonical.Digest([]byte(p.identity))
	}
	return p
}

// withVersion completes a purl without a version by the one that the document gives beside it.
func withVersion(p purl.PURL, version string) purl.PURL {
	completed := p
	completed.Version = version
	again, err := purl.Parse(completed.String())
	if err != nil {
		return p
	}
	return again
}

func (p part) named(text string, by purl.PURL) part {
	p.identity, p.purl, p.version = text, &text, by.Version
	p.name = by.Name
	if by.Namespace != "" && !distribution(by.Type) {
		p.name = by.Namespace + "/" + by.Name
	}
	return p
}

// distribution tells whether the namespace of a purl's type says who distributes a package rather than what it is called:
// OpenSSL in Debian is "openssl", a package of npm's scope is "@scope/name".
func distribution(purlType string) bool {
	switch purlType {
	case "alpm", "apk", "deb", "rpm", "qpkg":
		return true
	}
	return false
}
