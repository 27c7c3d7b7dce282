package bom_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

// spdx wraps members of a document in JSON.
func spdx(members string) []byte {
	return []byte(`{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","dataLicense":"CC0-1.0","name":"ledger"` + members + `}`)
}

func TestSPDXDocumentIsReadWhole(t *testing.T) {
	t.Parallel()
	doc := parse(t, spdx(`,"packages":[
		{"SPDXID":"SPDXRef-root","name":"ledger","versionInfo":"1","checksums":[{"algorithm":"SHA256","checksumValue":"`+digestA+`"}]},
		{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"2","licenseConcluded":"NOASSERTION","licenseDeclared":"(MIT OR Apache-2.0)",
		 "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a"},
			{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:golang/example.org/A@v2"}]},
		{"SPDXID":"SPDXRef-b","name":"b","licenseConcluded":"ISC","licenseDeclared":"MIT","checksums":[{"algorithm":"SHA1","checksumValue":"00"}]},
		{"SPDXID":"SPDXRef-c","name":"c","licenseConcluded":"NONE"}],
		"relationships":[null,
		{"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-root","relationshipType":"DESCRIBES"},
		{"spdxElementId":"SPDXRef-root","relatedSpdxElement":"SPDXRef-a","relationshipType":"DEPENDS_ON"},
		{"spdxElementId":"SPDXRef-b","relatedSpdxElement":"SPDXRef-a","relationshipType":"DEV_DEPENDENCY_OF"},
		{"spdxElementId":"SPDXRef-a","relatedSpdxElement":"NOASSERTION","relationshipType":"DEPENDS_ON"},
		{"spdxElementId":"SPDXRef-a","relatedSpdxElement":"DocumentRef-x:SPDXRef-b","relationshipType":"DEPENDS_ON"},
		{"spdxElementId":"whatever","relatedSpdxElement":"SPDXRef-b","relationshipType":"CONTAINS"}]`))
	want := bom.Document{
		Format: bom.SPDX, SpecVersion: "2.3", Name: "ledger", Roots: []string{"root"}, Subjects: []string{"sha256:" + digestA},
		Components: []bom.Component{
			{Ref: "a", PURL: "pkg:golang/example.org/a@v2", Name: "a", Version: "2", Licenses: []string{"(MIT OR Apache-2.0)"}, Direct: true},
			{Ref: "b", Name: "b", Licenses: []string{"ISC"}},
			{Ref: "c", Name: "c"},
		},
		Dependencies: []bom.Dependency{{From: "root", To: "a"}, {From: "a", To: "b"}},
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("got  %+v\nwant %+v", doc, want)
	}
}

func TestSPDXRootIsFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	packages := `,"packages":[{"SPDXID":"SPDXRef-root","name":"app"},{"SPDXID":"SPDXRef-a","name":"a"}]`
	for name, members := range map[string]string{
		"documentDescribes": `,"documentDescribes":["SPDXRef-root"]`,
		"DESCRIBED_BY":      `,"relationships":[{"spdxElementId":"SPDXRef-root","relatedSpdxElement":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBED_BY"}]`,
		"both":              `,"documentDescribes":["SPDXRef-root"],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-root","relationshipType":"DESCRIBES"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, spdx(packages+members))
			if !slices.Equal(doc.Roots, []string{"root"}) || len(doc.Components) != 1 {
				t.Errorf("got roots %v, components %+v", doc.Roots, doc.Components)
			}
		})
	}
}

func TestSPDXThatDescribesSeveralPackagesHidesNone(t *testing.T) {
	t.Parallel()
	doc := parse(t, spdx(`,"documentDescribes":["SPDXRef-a","SPDXRef-b"],
		"packages":[{"SPDXID":"SPDXRef-a","name":"a","licenseDeclared":"AGPL-3.0-only"},{"SPDXID":"SPDXRef-b","name":"b"},{"SPDXID":"SPDXRef-c","name":"c"}],
		"relationships":[{"spdxElementId":"SPDXRef-a","relatedSpdxElement":"SPDXRef-c","relationshipType":"DEPENDS_ON"}]`))
	if len(doc.Components) != 3 || len(doc.Roots) != 2 || !doc.Components[2].Direct || doc.Components[0].Direct {
		t.Errorf("got roots %v, components %+v", doc.Roots, doc.Components)
	}
}

func TestSPDXPackageWithoutANameIsKeptUnderItsReference(t *testing.T) {
	t.Parallel()
	doc := parse(t, spdx(`,"packages":[{"SPDXID":"SPDXRef-Package--","name":""}]`))
	if len(doc.Components) != 1 || doc.Components[0].Name != "Package--" {
		t.Errorf("got %+v", doc.Components)
	}
}

func TestSPDXRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		content []byte
		want    string
	}{
		{"a version nobody knows", []byte(`{"spdxVersion":"SPDX-9"}`), `version "SPDX-9"`},
		{"no version in the value", []byte(`{"spdxVersion":""}`), `version ""`},
		{"YAML", []byte("SPDXID: SPDXRef-DOCUMENT\nspdxVersion: SPDX-2.3\n"), "SPDX in YAML, which is not read; write it in JSON or tag-value form"},
		{"RDF", []byte(`<rdf:RDF xmlns:spdx="http://spdx.org/rdf/terms#"/>`), "SPDX in XML or RDF, which is not read; write it in JSON or tag-value form"},
		{"a version that is no string", []byte(`{"spdxVersion":2.3}`), "no bill of materials"},
		{"packages that are a string", spdx(`,"packages":"a"`), "/packages: expected an array, found a string"},
		{"a package that is null", spdx(`,"packages":[null]`), "/packages/0: expected an object, found null"},
		{"a package without an identifier", spdx(`,"packages":[{"name":"a"}]`), `/packages/0: the member "SPDXID" is missing`},
		{"a package without a name", spdx(`,"packages":[{"SPDXID":"SPDXRef-a"}]`), `"name" is missing`},
		{"an identifier without its prefix", spdx(`,"packages":[{"SPDXID":"a","name":"a"}]`), "ElementID"},
		{"a licence that is an array", spdx(`,"packages":[{"SPDXID":"SPDXRef-a","name":"a","licenseDeclared":["MIT"]}]`), "/packages/0/licenseDeclared: expected a string, found an array"},
		{"a reference that is a string", spdx(`,"packages":[{"SPDXID":"SPDXRef-a","name":"a","externalRefs":["x"]}]`), "/packages/0/externalRefs/0: expected an object"},
		{"a locator that is a number", spdx(`,"packages":[{"SPDXID":"SPDXRef-a","name":"a","externalRefs":[{"referenceLocator":1}]}]`), "/packages/0/externalRefs/0: not an external reference"},
		{"relationships that are an object", spdx(`,"relationships":{}`), "/relationships: expected an array"},
		{"a relationship that is a string", spdx(`,"relationships":["x"]`), "/relationships: not a relationship"},
		{"a relationship of numbers", spdx(`,"relationships":[{"spdxElementId":1}]`), "/relationships: not a relationship"},
		{"an edge to an identifier without its prefix", spdx(`,"relationships":[{"spdxElementId":"SPDXRef-a","relatedSpdxElement":"b","relationshipType":"DEPENDS_ON"}]`), "ElementID"},
		{"described elements that are objects", spdx(`,"documentDescribes":[{}]`), "/documentDescribes/0: expected a string"},
		{"too many packages", spdx(`,"packages":[` + strings.TrimSuffix(strings.Repeat(`{"SPDXID":"SPDXRef-a","name":"a"},`, bom.MaxComponents+1), ",") + `]`), "more than 100000 packages"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, c.content, c.want)
		})
	}
}
