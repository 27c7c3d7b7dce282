package bom_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

// graph wraps elements of an SPDX 3 document.
func graph(elements string) string {
	return `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[` + elements + `]}`
}

func TestSPDX3DocumentIsReadWhole(t *testing.T) {
	t.Parallel()
	doc := parse(t, []byte(graph(`
		{"type":"Relationship","spdxId":"urn:r1","relationshipType":"dependsOn","completeness":"complete","from":"urn:root","to":["urn:a","urn:f","urn:nowhere"]},
		{"type":"LifecycleScopedRelationship","scope":"test","spdxId":"urn:r2","relationshipType":"dependsOn","from":"urn:a","to":["urn:b"]},
		{"type":"Relationship","spdxId":"urn:r3","relationshipType":"hasDeclaredLicense","from":"urn:a","to":["urn:l1"]},
		{"type":"Relationship","spdxId":"urn:r4","relationshipType":"hasConcludedLicense","from":"urn:a","to":["urn:l2"]},
		{"type":"Relationship","spdxId":"urn:r5","relationshipType":"hasDeclaredLicense","from":"urn:b","to":["urn:l1"]},
		{"type":"Relationship","spdxId":"urn:r6","relationshipType":"hasConcludedLicense","from":"urn:b","to":["urn:l3"]},
		{"type":"Relationship","spdxId":"urn:r7","relationshipType":"usesTool","from":"urn:b","to":["urn:a"]},
		{"type":"SpdxDocument","spdxId":"urn:doc","name":"ledger","rootElement":["urn:sbom"]},
		{"type":"software_Sbom","spdxId":"urn:sbom","rootElement":["urn:root"],"element":["urn:root","urn:a"]},
		{"type":"software_Package","spdxId":"urn:root","name":"ledger","software_packageVersion":"1",
		 "verifiedUsing":[{"type":"Hash","algorithm":"sha256","hashValue":"`+digestA+`"}]},
		{"type":"software_Package","spdxId":"urn:a","name":"a","software_packageVersion":"v2","software_packageUrl":"pkg:golang/example.org/A@v2"},
		{"type":"software_Package","@id":"urn:b","name":"b",
		 "verifiedUsing":[{"type":"Hash","algorithm":"sha1","hashValue":"00"},{"type":"PackageVerificationCode","algorithm":"sha256","hashValue":"`+digestB+`"}]},
		{"type":"software_File","spdxId":"urn:f","name":"f.jar","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"cpe23","identifier":"x"},
		 {"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:maven/g/f@1"}]},
		{"type":"software_File","spdxId":"urn:source","name":"main.c"},
		{"type":"Person","spdxId":"urn:p","name":"Somebody","comment":{"not":"read"}},
		{"type":"simplelicensing_LicenseExpression","spdxId":"urn:l1","simplelicensing_licenseExpression":"MIT"},
		{"type":"simplelicensing_LicenseExpression","spdxId":"urn:l2","simplelicensing_licenseExpression":"ISC OR MIT"},
		{"type":"simplelicensing_LicenseExpression","spdxId":"urn:l3","simplelicensing_licenseExpression":"NOASSERTION"}`)))
	want := bom.Document{
		Format: bom.SPDX, SpecVersion: "3.0.1", Name: "ledger", Roots: []string{"urn:root"}, Subjects: []string{"sha256:" + digestA},
		Components: []bom.Component{
			{Ref: "urn:a", PURL: "pkg:golang/example.org/a@v2", Name: "a", Version: "v2", Licenses: []string{"ISC OR MIT"}, Direct: true},
			{Ref: "urn:b", Name: "b", Licenses: []string{"MIT"}},
			{Ref: "urn:f", PURL: "pkg:maven/g/f@1", Name: "f.jar", Direct: true},
		},
		Dependencies: []bom.Dependency{{From: "urn:root", To: "urn:a"}, {From: "urn:root", To: "urn:f"}, {From: "urn:a", To: "urn:b"}},
		Complete:     true,
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("got  %+v\nwant %+v", doc, want)
	}
}

func TestSPDX3LicencesOfEveryKindBecomeExpressions(t *testing.T) {
	t.Parallel()
	const listed = "http://spdx.org/licenses/"
	circular := `{"type":"expandedlicensing_ConjunctiveLicenseSet","spdxId":"urn:l","expandedlicensing_member":["urn:l","` + listed + `MIT"]}`
	var deep strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&deep, `{"type":"expandedlicensing_OrLaterOperator","spdxId":"urn:l%[1]d","expandedlicensing_subjectLicense":"urn:l%[2]d"},`, i, i+1)
	}
	deep.WriteString(`{"type":"expandedlicensing_OrLaterOperator","spdxId":"urn:l","expandedlicensing_subjectLicense":"urn:l0"}`)
	cases := []struct{ name, elements, want string }{
		{"one of the list at another address", `{"type":"expandedlicensing_ListedLicense","spdxId":"urn:l","name":"MIT License"}`, "MIT License"},
		{
			"a set of sets", `{"type":"expandedlicensing_ConjunctiveLicenseSet","spdxId":"urn:l","expandedlicensing_member":["` + listed + `MIT","urn:or","` + listed + `MIT"]},
			{"type":"expandedlicensing_DisjunctiveLicenseSet","spdxId":"urn:or","expandedlicensing_member":["` + listed + `ISC","https://spdx.org/licenses/0BSD"]}`, "MIT AND (ISC OR 0BSD)",
		},
		{
			"later versions with an exception", `{"type":"expandedlicensing_WithAdditionOperator","spdxId":"urn:l","expandedlicensing_subjectExtendableLicense":"urn:plus",
			"expandedlicensing_subjectAddition":"` + listed + `Classpath-exception-2.0"},
			{"type":"expandedlicensing_OrLaterOperator","spdxId":"urn:plus","expandedlicensing_subjectLicense":"` + listed + `GPL-2.0"}`, "GPL-2.0+ WITH Classpath-exception-2.0",
		},
		{"a licence of their own", `{"type":"simplelicensing_SimpleLicensingText","spdxId":"urn:l","name":"Our licence","simplelicensing_licenseText":"Do what you like."}`, "Our licence"},
		{
			"a set of one", `{"type":"expandedlicensing_ConjunctiveLicenseSet","spdxId":"urn:l","expandedlicensing_member":["urn:x"]},
			{"type":"simplelicensing_LicenseExpression","spdxId":"urn:x","simplelicensing_licenseExpression":"(MIT OR ISC) AND (0BSD)"}`, "(MIT OR ISC) AND (0BSD)",
		},
		{"one that refers to itself", circular, "MIT"},
		{"a thousand that refer to each other", deep.String(), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, []byte(graph(`{"type":"software_Package","spdxId":"urn:a","name":"a"},
				{"type":"Relationship","from":"urn:a","to":["urn:l"],"relationshipType":"hasDeclaredLicense"},`+c.elements)))
			if got := strings.Join(doc.Components[0].Licenses, "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSPDX3RootIsFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	packages := `{"type":"software_Package","spdxId":"urn:root","name":"app"},{"type":"software_Package","spdxId":"urn:a","name":"a"},`
	for name, elements := range map[string]string{
		"of the document":      `{"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:root"]}`,
		"of the bill":          `{"type":"software_Sbom","spdxId":"urn:s","rootElement":["urn:root"]}`,
		"of the bill inside":   `{"type":"software_Sbom","spdxId":"urn:s","rootElement":["urn:root"]},{"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:s"]}`,
		"by a relationship":    `{"type":"SpdxDocument","spdxId":"urn:d"},{"type":"Relationship","relationshipType":"describes","from":"urn:d","to":["urn:root"]}`,
		"that contains itself": `{"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:d","urn:root"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, []byte(graph(packages+elements)))
			if !slices.Equal(doc.Roots, []string{"urn:root"}) || len(doc.Components) != 1 {
				t.Errorf("got roots %v, components %+v", doc.Roots, doc.Components)
			}
		})
	}
}

func TestSPDX3IsCompleteOnlyWhenTheRootSaysSo(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]bool{
		`"root","complete"`: true, `"root","incomplete"`: false, `"root","noAssertion"`: false, `"a","complete"`: false,
		`"root","complete"|"root","incomplete"`: false, `"root","incomplete"|"root","complete"`: false, `"root","complete"|"a","incomplete"`: true,
	} {
		var elements strings.Builder
		for s := range strings.SplitSeq(said, "|") {
			from, completeness, _ := strings.Cut(s, ",")
			fmt.Fprintf(&elements, `,{"type":"Relationship","relationshipType":"contains","from":%s,"to":["b"],"completeness":%s}`, from, completeness)
		}
		doc := parse(t, []byte(graph(`{"type":"SpdxDocument","spdxId":"d","rootElement":["root"]},{"type":"software_Package","spdxId":"root","name":"x"},
			{"type":"software_Package","spdxId":"a","name":"a"},{"type":"software_Package","spdxId":"b","name":"b"}`+elements.String())))
		if doc.Complete != want {
			t.Errorf("%s: complete is %t", said, doc.Complete)
		}
	}
}

func TestSPDX3Refuses(t *testing.T) {
	t.Parallel()
	const relation = `{"type":"Relationship","relationshipType":"dependsOn",`
	cases := []struct{ name, content, want string }{
		{"another version", `{"@context":"https://spdx.org/rdf/3.1/spdx-context.jsonld","@graph":[]}`, "of SPDX 3, version 3.0 is read"},
		{"no graph", `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`, `the member "@graph" is missing`},
		{"a graph that is an object", `{"@context":"https://spdx.org/rdf/3.0.1/","@graph":{}}`, "/@graph: expected an array, found an object"},
		{"an element that is a string", graph(`"x"`), "/@graph/0: expected an object, found a string"},
		{"a name that is a number", graph(`{},{"type":"software_Package","name":1}`), "/@graph/1: /name: expected a string, found a number"},
		{"a package that says nothing", graph(`{"type":"software_Package"}`), "/@graph/0: the software_Package: the component has neither a name"},
		{"a relationship to an element in place", graph(relation + `"from":"a","to":[{"type":"software_Package","name":"hidden"}]}`), "/@graph/0: /to/0: expected a string, found an object"},
		{"a relationship to one", graph(relation + `"from":"a","to":"b"}`), "/@graph/0: /to: expected an array, found a string"},
		{"a name that is too long", graph(`{"type":"software_Package","name":"` + strings.Repeat("a", bom.MaxText+1) + `"}`), "the name is 4097 bytes long"},
		{"too many packages", graph(strings.TrimSuffix(strings.Repeat(`{"type":"software_Package","name":"a"},`, bom.MaxComponents+1), ",")), "more than 100000 packages"},
		{"too many dependencies", graph(relation + `"from":"a","to":[` + strings.TrimSuffix(strings.Repeat(`"b",`, 1_000_001), ",") + `]}`), "more than 1000000 dependencies"},
		{"too many elements", graph(strings.TrimSuffix(strings.Repeat(`{},`, 2_000_001), ",")), "more than 2000000 elements"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, []byte(c.content), c.want)
		})
	}
}
