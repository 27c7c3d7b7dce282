package bom_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

const (
	digestA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// cyclone wraps members of a document in JSON.
func cyclone(members string) []byte {
	return []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1` + members + `}`)
}

func parse(t *testing.T, content []byte) bom.Document {
	t.Helper()
	doc, err := bom.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	checkDocument(t, t.Name(), doc)
	return doc
}

func TestCycloneDXDocumentIsReadWhole(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,
		"metadata":{"component":{"bom-ref":"root","type":"application","group":"acme","name":"ledger","version":"1.0.0",
			"hashes":[{"alg":"SHA-256","content":"`+strings.ToUpper(digestA)+`"},{"alg":"SHA-1","content":"00"}],
			"components":[{"type":"library","bom-ref":"part","name":"part"}]}},
		"components":[
			{"bom-ref":"a","type":"library","group":"@babel","name":"core","version":"7.0.0","purl":"pkg:npm/@babel/core@7.0.0",
			 "licenses":[{"license":{"id":"MIT"}},{"license":{"name":"Some\nown  licence"}},{"license":{"name":"NOASSERTION"}}],
			 "hashes":[{"alg":"SHA-512","content":"zz"},{"alg":"SHA-256","content":"`+digestB+`"}],
			 "components":[{"bom-ref":"c","type":"library","name":"inner","version":"2"}]},
			{"bom-ref":"b","type":"library","name":"left-pad","version":"1","licenses":[{"expression":"MIT OR Apache-2.0"}]}],
		"dependencies":[{"ref":"root","dependsOn":["a","nowhere"]},{"ref":"a","dependsOn":["b","a","b"]}],
		"compositions":[{"aggregate":"complete","dependencies":["root"]}]`))
	want := bom.Document{
		Format: bom.CycloneDX, SpecVersion: "1.6", Name: "acme/ledger", Roots: []string{"root"},
		Subjects: []string{"sha256:" + digestA},
		Components: []bom.Component{
			{Ref: "part", Name: "part"},
			{
				Ref: "a", PURL: "pkg:npm/%40babel/core@7.0.0", Name: "@babel/core", Version: "7.0.0",
				Licenses: []string{"MIT", "Some own licence"}, Digests: []string{"sha256:" + digestB}, Direct: true,
			},
			{Ref: "c", Name: "inner", Version: "2"},
			{Ref: "b", Name: "left-pad", Version: "1", Licenses: []string{"MIT OR Apache-2.0"}},
		},
		Dependencies: []bom.Dependency{{From: "root", To: "a"}, {From: "a", To: "b"}},
		Complete:     true,
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("got  %+v\nwant %+v", doc, want)
	}
}

func TestEqualComponentsBecomeOne(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,"metadata":{"component":{"bom-ref":"root","name":"app"}},"components":[
		{"bom-ref":"1","name":"a","version":"1","purl":"pkg:golang/github.com/A/B@v1","licenses":[{"license":{"id":"MIT"}}]},
		{"bom-ref":"2","name":"other name","version":"1","purl":"pkg:golang/github.com/a/b@v1","licenses":[{"license":{"id":"ISC"}},{"license":{"id":"MIT"}}],
		 "hashes":[{"alg":"SHA-256","content":"`+digestA+`"}]},
		{"bom-ref":"3","name":"plain","version":"1"},{"bom-ref":"4","name":"plain","version":"1"},{"name":"plain","version":"2"}],
		"dependencies":[{"ref":"root","dependsOn":["2"]},{"ref":"2","dependsOn":["4"]},{"ref":"1","dependsOn":["3"]}]`))
	if len(doc.Components) != 3 {
		t.Fatalf("got %d components: %+v", len(doc.Components), doc.Components)
	}
	first := doc.Components[0]
	if !slices.Equal(first.Licenses, []string{"ISC", "MIT"}) || !slices.Equal(first.Digests, []string{"sha256:" + digestA}) || !first.Direct {
		t.Errorf("licences, digests and directness were not merged: %+v", first)
	}
	if want := []bom.Dependency{{From: "root", To: "1"}, {From: "1", To: "3"}}; !slices.Equal(doc.Dependencies, want) {
		t.Errorf("got %v, want %v", doc.Dependencies, want)
	}
	if doc.Components[2].Ref != "plain@2" {
		t.Errorf("a component without a reference got %q", doc.Components[2].Ref)
	}
}

func TestTheRootIsNoComponent(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,"metadata":{"component":{"bom-ref":"r","name":"app","version":"1","purl":"pkg:npm/app@1"}},"components":[
		{"bom-ref":"r","name":"app","version":"1"},{"bom-ref":"again","name":"app","version":"1","purl":"pkg:npm/app@1"},{"bom-ref":"x","name":"x"}],
		"dependencies":[{"ref":"again","dependsOn":["x"]}]`))
	if len(doc.Components) != 1 || doc.Components[0].Name != "x" || !doc.Components[0].Direct {
		t.Errorf("got %+v", doc.Components)
	}
}

func TestABadPackageURLIsNotFatal(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"npm/a", "pkg:npm", "pkg:npm/a%00", "pkg:npm/" + strings.Repeat("a", 2000), "pkg:swift/a"} {
		quoted, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, cyclone(`,"components":[{"name":"a","version":"1","purl":`+string(quoted)+`}]`))
		if len(doc.Components) != 1 || doc.Components[0].PURL != "" || doc.Components[0].Name != "a" {
			t.Errorf("%.40s: got %+v", bad, doc.Components)
		}
	}
}

func TestObservedLicencesCountOnlyWithoutDeclaredOnes(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,"components":[
		{"name":"a","evidence":{"licenses":[{"license":{"id":"GPL-3.0-only"}}]}},
		{"name":"b","licenses":[{"license":{"id":"MIT"}}],"evidence":{"licenses":[{"license":{"id":"GPL-3.0-only"}}]}}]`))
	if got := doc.Components[0].Licenses; !slices.Equal(got, []string{"GPL-3.0-only"}) {
		t.Errorf("observed alone: got %q", got)
	}
	if got := doc.Components[1].Licenses; !slices.Equal(got, []string{"MIT"}) {
		t.Errorf("declared and observed: got %q", got)
	}
}

func TestALongLicenceIsCutSoThatItIsNoExpression(t *testing.T) {
	t.Parallel()
	long := "MIT" + strings.Repeat(" OR MIT", 1000)
	doc := parse(t, cyclone(`,"components":[{"name":"a","licenses":[{"expression":"`+long+`"}]}]`))
	got := doc.Components[0].Licenses[0]
	if !strings.HasSuffix(got, "…") || len(got) > bom.MaxLicense+len("…") {
		t.Errorf("got %q", got)
	}
}

func TestRule34_AnImageIsNamedByTheDigestInItsVersion(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,"metadata":{"component":{"type":"container","name":"img","version":"sha256:`+digestA+`","purl":"pkg:oci/img@sha256%3A`+digestB+`"}}`))
	if want := []string{"sha256:" + digestA, "sha256:" + digestB}; !slices.Equal(doc.Subjects, want) {
		t.Errorf("got %v, want %v", doc.Subjects, want)
	}
}

func TestCompleteOnlyWhenTheDocumentSaysSoOfTheRoot(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, compositions string
		want               bool
	}{
		{"nothing is said", `[]`, false},
		{"complete without names", `[{"aggregate":"complete"}]`, true},
		{"complete of the root's parts", `[{"aggregate":"complete","assemblies":["root"]}]`, true},
		{"complete of another", `[{"aggregate":"complete","dependencies":["a"]}]`, false},
		{"incomplete", `[{"aggregate":"incomplete","dependencies":["root"]}]`, false},
		{"unknown", `[{"aggregate":"unknown"}]`, false},
		{"complete and incomplete", `[{"aggregate":"complete","assemblies":["root"]},{"aggregate":"incomplete_third_party_only","dependencies":["root"]}]`, false},
		{"incomplete of another", `[{"aggregate":"complete"},{"aggregate":"incomplete","dependencies":["a"]}]`, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, cyclone(`,"metadata":{"component":{"bom-ref":"root","name":"app"}},"components":[{"bom-ref":"a","name":"a"}],"compositions":`+c.compositions))
			if doc.Complete != c.want {
				t.Errorf("got %t, want %t", doc.Complete, c.want)
			}
		})
	}
}

func TestWhatIsNotReadCannotFailADocument(t *testing.T) {
	t.Parallel()
	doc := parse(t, cyclone(`,"services":7,"vulnerabilities":[null,{"id":[]}],"Components":[{"name":"hidden"}],"COMPONENTS":3,
		"components":[{"name":"a","type":9,"properties":"x","Purl":"pkg:npm/other@1","cryptoProperties":[[]],"licenses":null}]`))
	if len(doc.Components) != 1 || doc.Components[0].Name != "a" || doc.Components[0].PURL != "" {
		t.Errorf("got %+v", doc.Components)
	}
}

func TestCycloneDXRefuses(t *testing.T) {
	t.Parallel()
	many := func(n int, element string) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	cases := []struct {
		name    string
		content []byte
		want    string
	}{
		{"no version", []byte(`{"bomFormat":"CycloneDX"}`), `"specVersion" is missing`},
		{"a version that is no string", []byte(`{"bomFormat":"CycloneDX","specVersion":1.6}`), "/specVersion: expected a string, found a number"},
		{"a version nobody knows", []byte(`{"bomFormat":"CycloneDX","specVersion":"9.9"}`), `version "9.9"`},
		{"a version without end", []byte(`{"bomFormat":"CycloneDX","specVersion":"` + strings.Repeat("é", 100_000) + `"}`), `says version "é`},
		{"a key without end, twice", cyclone(strings.Repeat(`,"`+strings.Repeat("k", 100_000)+`":1`, 2)), "duplicate"},
		{"a version without JSON", []byte(`{"bomFormat":"CycloneDX","specVersion":"1.1"}`), "1.2 to 1.7"},
		{"components that are an object", cyclone(`,"components":{}`), "/components: expected an array, found an object"},
		{"a component that is null", cyclone(`,"components":[{"name":"a"},null]`), "/components/1: expected an object, found null"},
		{"a component that says nothing", cyclone(`,"components":[{}]`), "/components/0: the component has neither"},
		{"a name that is a number", cyclone(`,"components":[{"name":5}]`), "/components/0/name: expected a string, found a number"},
		{"a name without end", cyclone(`,"components":[{"name":"` + strings.Repeat("n", bom.MaxText+1) + `"}]`), "/components/0: the name is 4097 bytes long"},
		{"a nested name of another type", cyclone(`,"components":[{"name":"a","components":[{"name":[]}]}]`), "/components/0/components/0/name: expected a string, found an array"},
		{"licences that are a string", cyclone(`,"components":[{"name":"a","licenses":"MIT"}]`), "/components/0/licenses: expected an array"},
		{"a key twice", cyclone(`,"components":[],"components":[]`), "duplicate"},
		{"a key twice in what is not read", cyclone(`,"x":{"a":1,"a":2}`), "duplicate"},
		{"something after the end", append(cyclone(``), '{', '}'), "expected one JSON value, found 2"},
		{"a document cut off", cyclone(`,"components":[{"name":"a"`)[:70], "not valid JSON"},
		{"too many components", cyclone(`,"components":[` + many(bom.MaxComponents+1, `{}`) + `]`), "more than 100000 components"},
		{"too many nested components", cyclone(`,"components":[{"name":"a","components":[` + many(bom.MaxComponents, `{}`) + `]}]`), "more than 100000 components"},
		{"too many licences", cyclone(`,"components":[{"name":"a","licenses":[` + many(500_001, `{}`) + `]}]`), "more than 500000 licences"},
		{"too many dependencies", cyclone(`,"dependencies":[{"ref":"a","dependsOn":[` + many(1_000_001, `"a"`) + `]}]`), "more than 1000000 dependencies"},
		{"components nested too deep", cyclone(`,"components":` + strings.Repeat(`[{"name":"a","components":`, 100) + `[]` + strings.Repeat(`}]`, 100)), "deeper than 128"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, c.content, c.want)
		})
	}
}

func refuse(t *testing.T, content []byte, want string) {
	t.Helper()
	doc, err := bom.Parse(content)
	if err == nil {
		t.Fatalf("accepted with %d components", len(doc.Components))
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error %q does not say %q", err, want)
	}
	if len(err.Error()) > 600 {
		t.Errorf("the error is %d bytes long", len(err.Error()))
	}
	if !reflect.DeepEqual(doc, bom.Document{}) {
		t.Errorf("an error came with a document: %.200s", fmt.Sprint(doc))
	}
}
