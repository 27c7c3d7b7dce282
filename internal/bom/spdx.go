package bom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// spdxShape is what is read of an SPDX document in JSON. Each call gives new counters. The fields that are read are
// the same in 2.1, 2.2 and 2.3.
func spdxShape() *shape {
	pkg := object(map[string]*shape{
		"SPDXID": text(), "name": text(), "versionInfo": text(),
		"licenseConcluded": text(), "licenseDeclared": text(),
		"checksums": array(object(map[string]*shape{"algorithm": text(), "checksumValue": text()}),
			&limit{what: "checksums", max: maxHashes}),
		"externalRefs": array(&shape{kind: '{', rewrite: keepPURL},
			&limit{what: "external references", max: maxDependencies}),
	}, "SPDXID", "name")
	return object(map[string]*shape{
		"spdxVersion": text(), "SPDXID": text(), "name": text(),
		"documentDescribes": array(text(), &limit{what: "described elements", max: MaxComponents}),
		"packages":          array(pkg, &limit{what: "packages", max: MaxComponents}),
		"relationships":     {kind: '[', rewrite: keepEdges},
	}, "spdxVersion")
}

// keepPURL drops external references that are not package URLs.
func keepPURL(raw jsontext.Value) (jsontext.Value, error) {
	var ref struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	if err := jsonv2.Unmarshal(raw, &ref); err != nil {
		return nil, fmt.Errorf("not an external reference: %w", err)
	}
	// Older tools write the type as a URL that ends in /purl.
	if ref.Type != common.TypePackageManagerPURL && !strings.HasSuffix(ref.Type, "/"+common.TypePackageManagerPURL) {
		return nil, nil
	}
	ref.Type = common.TypePackageManagerPURL
	return jsonv2.Marshal(ref)
}

// edgeType is how a relationship is read: what it says, and whether from its second element to its first.
type edgeType struct {
	describes bool
	reverse   bool
}

func edgeTypes() map[string]edgeType {
	return map[string]edgeType{
		common.TypeRelationshipDescribe:             {describes: true},
		common.TypeRelationshipDescribeBy:           {describes: true, reverse: true},
		common.TypeRelationshipDependsOn:            {},
		common.TypeRelationshipDependencyOf:         {reverse: true},
		common.TypeRelationshipBuildDependencyOf:    {reverse: true},
		common.TypeRelationshipDevDependencyOf:      {reverse: true},
		common.TypeRelationshipOptionalDependencyOf: {reverse: true},
		common.TypeRelationshipProvidedDependencyOf: {reverse: true},
		common.TypeRelationshipTestDependencyOf:     {reverse: true},
		common.TypeRelationshipRuntimeDependencyOf:  {reverse: true},
	}
}

// keepEdges drops the relationships that are not read, most of which are about files, and null ones, which some tools
// write.
func keepEdges(raw jsontext.Value) (jsontext.Value, error) {
	types := edgeTypes()
	kept := limit{what: "dependencies", max: maxDependencies}
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return nil, err
	}
	for dec.PeekKind() != ']' {
		var r struct {
			From string `json:"spdxElementId"`
			To   string `json:"relatedSpdxElement"`
			Type string `json:"relationshipType"`
		}
		if err := jsonv2.UnmarshalDecode(dec, &r); err != nil {
			return nil, fmt.Errorf("not a relationship: %w", err)
		}
		if _, read := types[r.Type]; !read {
			continue
		}
		if err := kept.count(); err != nil {
			return nil, err
		}
		if err := jsonv2.MarshalEncode(enc, r); err != nil {
			return nil, err
		}
	}
	err := enc.WriteToken(jsontext.EndArray)
	return out.Bytes(), err
}

func parseSPDX(content []byte) (Document, error) {
	reduced, err := reduce(content, spdxShape())
	if err != nil {
		return Document{}, fmt.Errorf("the SPDX document cannot be read: %w", err)
	}
	var s v2_3.Document
	if err := json.Unmarshal(reduced, &s); err != nil {
		return Document{}, fmt.Errorf("the SPDX document cannot be read: %w", err)
	}
	if err := checkSPDX2(s.SPDXVersion); err != nil {
		return Document{}, err
	}
	return fromSPDX(&s)
}

func checkSPDX2(version string) error {
	switch version {
	case "SPDX-2.1", "SPDX-2.2", "SPDX-2.3":
		return nil
	}
	return fmt.Errorf("the SPDX document says version %q; SPDX-2.1, SPDX-2.2 and SPDX-2.3 are read", oneLine(version))
}

func fromSPDX(s *v2_3.Document) (Document, error) {
	doc := Document{Format: SPDX, SpecVersion: strings.TrimPrefix(s.SPDXVersion, "SPDX-"), Name: oneLine(s.DocumentName)}
	described := describedBy(s)
	c := newCollector(len(s.Packages))
	packages := make([]Component, 0, len(s.Packages))
	for i, p := range s.Packages {
		component, err := identifySPDX(fmt.Sprintf("/packages/%d", i), p)
		if err != nil {
			return Document{}, fmt.Errorf("the SPDX document cannot be read: %w", err)
		}
		if described[component.Ref] {
			doc.Subjects = append(doc.Subjects, subjects(component)...)
			c.root(component.Ref, component.PURL)
		}
		packages = append(packages, component)
	}
	for _, component := range packages {
		c.add(component)
	}
	types := edgeTypes()
	for _, r := range s.Relationships {
		t := types[r.Relationship]
		if t.describes || r.RefA.DocumentRefID != "" || r.RefB.DocumentRefID != "" {
			continue
		}
		from, to := oneLine(string(r.RefA.ElementRefID)), oneLine(string(r.RefB.ElementRefID))
		if t.reverse {
			from, to = to, from
		}
		c.edge(from, to)
	}
	c.into(&doc)
	return doc, nil
}

// describedBy gives the references of what the document says it describes. The library has made relationships of the
// list documentDescribes.
func describedBy(s *v2_3.Document) map[string]bool {
	described := map[string]bool{}
	types := edgeTypes()
	for _, r := range s.Relationships {
		t := types[r.Relationship]
		if !t.describes {
			continue
		}
		from, to := r.RefA, r.RefB
		if t.reverse {
			from, to = to, from
		}
		if from.ElementRefID == s.SPDXIdentifier && from.DocumentRefID == "" && to.DocumentRefID == "" {
			described[oneLine(string(to.ElementRefID))] = true
		}
	}
	return described
}

func identifySPDX(place string, p *v2_3.Package) (Component, error) {
	packageURL := ""
	for _, ref := range p.PackageExternalReferences {
		if packageURL == "" && ref.RefType == common.TypePackageManagerPURL {
			packageURL = ref.Locator
		}
	}
	out, err := identify(place, string(p.PackageSPDXIdentifier), packageURL, p.PackageName, p.PackageVersion)
	if err != nil {
		return Component{}, err
	}
	for _, said := range []string{p.PackageLicenseConcluded, p.PackageLicenseDeclared} {
		if l, ok := license(said); ok {
			out.Licenses = []string{l}
			break
		}
	}
	for _, checksum := range p.PackageChecksums {
		if d, ok := digest(string(checksum.Algorithm), checksum.Value); ok {
			out.Digests = append(out.Digests, d)
		}
	}
	return out, nil
}
