package version

import (
	"cmp"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// ManifestSchema names the layout of manifests. A manifest once written is never laid out anew.
const ManifestSchema = "plimsoll.manifest/v1"

// Manifest is what a version consists of.
type Manifest struct {
	Schema      string `json:"schema"`
	Application string `json:"application"`
	Version     string `json:"version"`
	Contents    []Part `json:"contents"`
}

// Part is one line of a manifest: a package version by purl, or an artifact by digest.
type Part struct {
	Kind   releasable.Kind `json:"kind"`
	Name   string          `json:"name"`
	PURL   string          `json:"purl,omitempty"`
	Digest string          `json:"digest,omitempty"`
}

// Bytes returns the manifest's one spelling. The order in which parts were reported does not matter, and a part that was
// reported twice stands in it once.
func (m Manifest) Bytes() ([]byte, error) {
	m.Contents = sorted(m.Contents)
	return canonical.JSON(m)
}

func sorted(parts []Part) []Part {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	return slices.Compact(parts)
}
