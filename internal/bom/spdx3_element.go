package bom

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// element3 is what is read of one element of an SPDX 3 graph, whatever its type.
type element3 struct {
	Type string `json:"type"`
	ID   string `json:"spdxId"`
	Node string `json:"@id"` // how elements without an address of their own are named
	Name string `json:"name"`

	RootElement []string `json:"rootElement"`

	PackageURL  string `json:"software_packageUrl"`
	Version     string `json:"software_packageVersion"`
	Identifiers []struct {
		Type       string `json:"externalIdentifierType"`
		Identifier string `json:"identifier"`
	} `json:"externalIdentifier"`
	VerifiedUsing []struct {
		Type      string `json:"type"`
		Algorithm string `json:"algorithm"`
		Value     string `json:"hashValue"`
	} `json:"verifiedUsing"`

	RelationshipType string   `json:"relationshipType"`
	From             string   `json:"from"`
	To               []string `json:"to"`
	Completeness     string   `json:"completeness"`

	license3
}

// element3Shape is what is read of an element. Each call gives new counters.
func element3Shape() *shape {
	return object(map[string]*shape{
		"type": text(), "spdxId": text(), "@id": text(), "name": text(),
		"rootElement":         array(text(), &limit{what: "root elements", max: MaxComponents}),
		"software_packageUrl": text(), "software_packageVersion": text(),
		"externalIdentifier": array(object(map[string]*shape{"externalIdentifierType": text(), "identifier": text()}),
			&limit{what: "external identifiers", max: maxDependencies}),
		"verifiedUsing": array(object(map[string]*shape{"type": text(), "algorithm": text(), "hashValue": text()}),
			&limit{what: "hashes", max: maxHashes}),
		"relationshipType": text(), "from": text(), "completeness": text(),
		"to":                                         array(text(), &limit{what: "dependencies", max: maxDependencies}),
		"simplelicensing_licenseExpression":          text(),
		"expandedlicensing_member":                   array(text(), &limit{what: "licences", max: maxLicenses}),
		"expandedlicensing_subjectLicense":           text(),
		"expandedlicensing_subjectExtendableLicense": text(),
		"expandedlicensing_subjectAddition":          text(),
	})
}

// take reads one element and keeps none of its bytes.
func (g *graph3) take(raw jsontext.Value) (jsontext.Value, error) {
	g.reduced.Reset()
	g.reducer.in.Reset(bytes.NewReader(raw))
	g.reducer.out.Reset(&g.reduced)
	if err := g.reducer.value(g.shape); err != nil {
		return nil, err
	}
	g.element = element3{}
	e := &g.element
	if err := jsonv2.Unmarshal(g.reduced.Bytes(), e); err != nil {
		return nil, fmt.Errorf("not an element of SPDX 3: %w", err)
	}
	e.ID = oneLine(cmp.Or(e.ID, e.Node))
	switch e.Type {
	case "SpdxDocument":
		g.documents = append(g.documents, collection3{e.ID, oneLine(e.Name), e.RootElement})
		return nil, g.parts.count()
	case "software_Sbom", "Bom", "Bundle":
		g.boms = append(g.boms, collection3{e.ID, oneLine(e.Name), e.RootElement})
		return nil, g.parts.count()
	case "Relationship", "LifecycleScopedRelationship":
		g.relationship(e)
		return nil, nil
	case "software_Package", "ai_AIPackage", "dataset_DatasetPackage":
		return nil, g.software(e)
	case "software_File":
		// Files are parts only when somebody publishes them as packages; a listing of a disk is not a bill of materials.
		if e.purl() != "" {
			return nil, g.software(e)
		}
		return nil, nil
	}
	if strings.HasPrefix(e.Type, "simplelicensing_") || strings.HasPrefix(e.Type, "expandedlicensing_") {
		e.license3.kind, e.license3.name = e.Type, e.Name
		g.licenses.said[e.ID] = e.license3
		return nil, g.words.count()
	}
	return nil, nil
}

// purl is the package URL of a package or file; a wrong one counts as one.
func (e *element3) purl() string {
	if e.PackageURL != "" {
		return e.PackageURL
	}
	for _, id := range e.Identifiers {
		if id.Type == "packageUrl" || id.Type == "purl" {
			return id.Identifier
		}
	}
	return ""
}

func (g *graph3) software(e *element3) error {
	if err := g.parts.count(); err != nil {
		return err
	}
	component, err := identify("the "+e.Type, e.ID, e.purl(), e.Name, e.Version)
	if err != nil {
		return err
	}
	for _, hash := range e.VerifiedUsing {
		if d, ok := digest(hash.Algorithm, hash.Value); ok && hash.Type == "Hash" {
			component.Digests = append(component.Digests, d)
		}
	}
	g.packages = append(g.packages, component)
	return nil
}

func (g *graph3) relationship(e *element3) {
	from := oneLine(e.From)
	switch e.RelationshipType {
	case "dependsOn", "contains", "hasOptionalDependency", "hasProvidedDependency":
		if e.RelationshipType == "dependsOn" || e.RelationshipType == "contains" {
			if g.completeness[from] != "incomplete" && e.Completeness != "" && e.Completeness != "noAssertion" {
				g.completeness[from] = strings.Clone(e.Completeness)
			}
		}
		g.edges = appendEdges(g.edges, from, e.To)
	case "describes":
		g.described = appendEdges(g.described, from, e.To)
	case "hasConcludedLicense", "hasDeclaredLicense":
		concluded := e.RelationshipType == "hasConcludedLicense"
		for _, to := range e.To {
			g.licensed = append(g.licensed, licensed3{from, oneLine(to), concluded})
		}
	}
}

func appendEdges(edges []Dependency, from string, to []string) []Dependency {
	for _, id := range to {
		edges = append(edges, Dependency{From: from, To: oneLine(id)})
	}
	return edges
}
