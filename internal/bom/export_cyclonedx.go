package bom

import (
	"io"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/plimsoll/plimsoll/internal/purl"
)

// WriteCycloneDX writes an export as CycloneDX 1.6 in JSON. What the release is made of is said complete, or unknown.
func WriteCycloneDX(w io.Writer, b Export) error {
	b, err := b.ready()
	if err != nil {
		return err
	}
	sum, err := b.sum()
	if err != nil {
		return err
	}
	out := cdx.NewBOM()
	out.SerialNumber = "urn:uuid:" + uuid(sum)
	out.Metadata = &cdx.Metadata{
		Timestamp: b.Created.Format(time.RFC3339),
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
			{Type: cdx.ComponentTypeApplication, Name: ToolName, Version: b.Tool},
		}},
		Component: &cdx.Component{
			BOMRef: RootRef, Type: cdx.ComponentTypeApplication, Name: b.Name, Version: b.Version,
			Hashes: hashesCycloneDX([]string{b.Digest}),
		},
	}
	kinds := newLicenseKinds()
	components := make([]cdx.Component, 0, len(b.Components))
	for _, c := range b.Components {
		components = append(components, cdx.Component{
			BOMRef: c.Ref, Type: componentType(c), Name: c.Name, Version: c.Version, PackageURL: c.PURL,
			Hashes: hashesCycloneDX(c.Digests), Licenses: licensesCycloneDX(c.Licenses, kinds),
		})
	}
	out.Components = &components
	out.Dependencies = dependenciesCycloneDX(b.Dependencies)
	aggregate := cdx.CompositionAggregateUnknown
	if b.Complete {
		aggregate = cdx.CompositionAggregateComplete
	}
	root := []cdx.BOMReference{RootRef}
	out.Compositions = &[]cdx.Composition{{Aggregate: aggregate, Assemblies: &root, Dependencies: &root}}
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(out, cdx.SpecVersion1_6)
}

// componentType is all that a package URL tells of it.
func componentType(c Component) cdx.ComponentType {
	if p, err := purl.Parse(c.PURL); err == nil && (p.Type == "oci" || p.Type == "docker") {
		return cdx.ComponentTypeContainer
	}
	return cdx.ComponentTypeLibrary
}

func hashesCycloneDX(digests []string) *[]cdx.Hash {
	var hashes []cdx.Hash
	for _, d := range digests {
		algorithm, value, _ := strings.Cut(d, ":")
		hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgorithm("SHA-" + strings.TrimPrefix(algorithm, "sha")), Value: value})
	}
	return orNil(hashes)
}

// licensesCycloneDX writes an expression only when it stands alone, because the format has no list of them; beside
// others it becomes a name, with nothing of it lost.
func licensesCycloneDX(texts []string, kinds *licenseKinds) *cdx.Licenses {
	if len(texts) == 1 && kinds.of(texts[0]) == asExpression {
		return &cdx.Licenses{{Expression: texts[0]}}
	}
	var licenses cdx.Licenses
	for _, text := range texts {
		if kinds.of(text) == onList {
			licenses = append(licenses, cdx.LicenseChoice{License: &cdx.License{ID: text}})
		} else {
			licenses = append(licenses, cdx.LicenseChoice{License: &cdx.License{Name: text}})
		}
	}
	if licenses == nil {
		return nil
	}
	return &licenses
}

// dependenciesCycloneDX gathers sorted edges under where they come from.
func dependenciesCycloneDX(edges []Dependency) *[]cdx.Dependency {
	var out []cdx.Dependency
	for _, edge := range edges {
		if len(out) == 0 || out[len(out)-1].Ref != edge.From {
			out = append(out, cdx.Dependency{Ref: edge.From, Dependencies: &[]string{}})
		}
		last := out[len(out)-1].Dependencies
		*last = append(*last, edge.To)
	}
	return orNil(out)
}

// orNil makes an optional list of a list.
func orNil[T any](l []T) *[]T {
	if len(l) == 0 {
		return nil
	}
	return &l
}
