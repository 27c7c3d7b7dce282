package bom_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/testdata/sbom"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, mediaType, content string
		want                     bom.Format
	}{
		{"the mark of CycloneDX", "application/json", `{"specVersion":"1.6","bomFormat":"CycloneDX"}`, bom.CycloneDX},
		{"the mark of SPDX", "", `{"packages":[{"bomFormat":"CycloneDX"}],"spdxVersion":"SPDX-2.3"}`, bom.SPDX},
		{"the mark of SPDX 3", "", `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`, bom.SPDX},
		{"the mark of SPDX in tag-value form", "text/plain", "# made by hand\nSPDXVersion: SPDX-2.3\n", bom.SPDX},
		{"the media type of tag-value form", "text/spdx", "", bom.SPDX},
		{"the namespace of CycloneDX", "", `<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`, bom.CycloneDX},
		{"a mark wins over the media type", "application/spdx+json", `{"bomFormat":"CycloneDX"}`, bom.CycloneDX},
		{"the media type of CycloneDX", "application/vnd.cyclonedx+json; version=1.6", `{}`, bom.CycloneDX},
		{"the media type of CycloneDX in XML", "application/vnd.cyclonedx+xml", ``, bom.CycloneDX},
		{"the media type of SPDX", "application/spdx+json", `{}`, bom.SPDX},
		{"a byte order mark", "", "\ufeff" + `{"bomFormat":"CycloneDX"}`, bom.CycloneDX},
		{"another format's mark", "application/json", `{"bomFormat":"Other"}`, ""},
		{"a mark that is nested", "", `{"a":{"bomFormat":"CycloneDX"}}`, ""},
		{"a mark that is no string", "", `{"bomFormat":["CycloneDX"]}`, ""},
		{"another XML", "text/xml", `<bom xmlns="http://example.org/"/>`, ""},
		{"an array", "", `[{"bomFormat":"CycloneDX"}]`, ""},
		{"nothing", "", ``, ""},
		{"no media type", ";;", `{`, ""},
		{"nesting without end", "", strings.Repeat(`{"a":`, 1_000_000), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := bom.Detect(c.mediaType, []byte(c.content))
			if got != c.want || ok != (c.want != "") {
				t.Errorf("got %q, %t; want %q", got, ok, c.want)
			}
		})
	}
}

func TestParseRefusesWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, content, want string }{
		{"nothing", "", "empty"},
		{"white space", " \n\t", "empty"},
		{"a byte order mark alone", "\ufeff", "empty"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "UTF-16"},
		{"bytes that are not UTF-8", "{\"bomFormat\":\"CycloneDX\",\"a\":\"\xff\"}", "not UTF-8"},
		{"text", "a bill of materials", "not valid JSON"},
		{"a number", "42", "no bill of materials"},
		{"null", "null", "no bill of materials"},
		{"an array", `[]`, "no bill of materials"},
		{"another document", `{"_type":"https://in-toto.io/Statement/v1"}`, "no bill of materials"},
		{"a million arrays", strings.Repeat("[", 1_000_000), "deeper than 128"},
		{"a million objects", strings.Repeat(`{"a":`, 1_000_000), "deeper than 128"},
		{"too many bytes", strings.Repeat(" ", bom.MaxDocument+1), "at most 33554432"},
		{"another XML", `<bom/>`, "first element is not <bom>"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, []byte(c.content), c.want)
		})
	}
}

func TestAByteOrderMarkBeforeUTF8IsIgnored(t *testing.T) {
	t.Parallel()
	parse(t, append([]byte("\ufeff"), cyclone(``)...))
}

// TestHostileDocumentsCostLittleMemory is not parallel: it measures what the process allocates.
func TestHostileDocumentsCostLittleMemory(t *testing.T) {
	fill := func(element string) string {
		return strings.TrimSuffix(strings.Repeat(element+",", (bom.MaxDocument-1000)/(len(element)+1)), ",")
	}
	cases := []struct {
		name    string
		content []byte
	}{
		{"what is not read", cyclone(`,"services":[` + fill(`{}`) + `]`)},
		{"components", cyclone(`,"components":[` + fill(`{}`) + `]`)},
		{"nulls in SPDX", []byte(`{"spdxVersion":"SPDX-2.3","relationships":[` + fill(`null`) + `]}`)},
		{"packages that are null", []byte(`{"spdxVersion":"SPDX-2.3","packages":[` + fill(`null`) + `]}`)},
		{"files in SPDX", []byte(`{"spdxVersion":"SPDX-2.3","files":[` + fill(`{}`) + `]}`)},
		{"elements in SPDX 3", []byte(`{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[` + fill(`{}`) + `]}`)},
		{"hashes of one file in SPDX 3", []byte(graph(`{"type":"software_File","verifiedUsing":[` + fill(`{}`) + `]}`))},
		{"files in SPDX 3", []byte(`{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[` + fill(`{"type":"software_File"}`) + `]}`)},
		{"files in tag-value form", []byte("SPDXVersion: SPDX-2.3\nFileName: a\n" + strings.Repeat("SPDXID: b\n", 3_000_000))},
		{"elements in XML", []byte(`<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><services>` + strings.Repeat(`<service/>`, 3_000_000) + `</services></bom>`)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			doc, err := bom.Parse(c.content)
			runtime.ReadMemStats(&after)
			if len(doc.Components) > 0 {
				t.Errorf("%d components: %v", len(doc.Components), err)
			}
			// Everything ever allocated, collected since or not.
			t.Logf("%d MiB document, %d MiB allocated in all: %v", len(c.content)>>20, (after.TotalAlloc-before.TotalAlloc)>>20, err)
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 24*bom.MaxDocument {
				t.Errorf("%d MiB were allocated", spent>>20)
			}
		})
	}
}

func TestRealDocumentsParse(t *testing.T) {
	t.Parallel()
	for name, content := range realDocuments(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, content)
			licensed, direct := 0, 0
			for _, c := range doc.Components {
				if c.PURL == "" || c.Version == "" {
					t.Errorf("%q has package URL %q and version %q", c.Name, c.PURL, c.Version)
				}
				if len(c.Licenses) > 0 {
					licensed++
				}
				if c.Direct {
					direct++
				}
			}
			if len(doc.Components) < 30 || licensed*10 < len(doc.Components)*9 || direct == 0 || len(doc.Roots) != 1 {
				t.Errorf("%d components, %d with a licence, %d direct, roots %v", len(doc.Components), licensed, direct, doc.Roots)
			}
		})
	}
}

func realDocuments(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(sbom.FS, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	documents := map[string][]byte{}
	for _, name := range names {
		content, err := fs.ReadFile(sbom.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		documents[name] = content
	}
	return documents
}

func FuzzParse(f *testing.F) {
	for _, content := range realDocuments(f) {
		f.Add(content[:min(len(content), 4000)])
	}
	for _, seed := range []string{
		string(cyclone(`,"components":[{"bom-ref":"a","group":"g","name":"n","version":"1","purl":"pkg:npm/n@1","licenses":[{"license":{"id":"MIT"}}],"hashes":[{"alg":"SHA-256","content":"` + digestA + `"}]}],"dependencies":[{"ref":"a","dependsOn":["a"]}]`)),
		string(cyclone(`,"metadata":{"component":{"bom-ref":"r","name":"x","components":[{"name":"y"}]}},"compositions":[{"aggregate":"complete","assemblies":["r"]}]`)),
		string(spdx(`,"packages":[{"SPDXID":"SPDXRef-a","name":"a","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]}],"relationships":[null,{"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-a","relationshipType":"DESCRIBES"}]`)),
		`<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component bom-ref="a"><name>a</name><licenses><expression>MIT</expression></licenses></component></components></bom>`,
		graph(`{"type":"SpdxDocument","spdxId":"d","rootElement":["r"]},{"type":"software_Package","spdxId":"r","name":"r"},{"type":"software_File","spdxId":"f","software_packageUrl":"pkg:npm/f@1"},
			{"type":"Relationship","from":"r","to":["f"],"relationshipType":"contains","completeness":"complete"},{"type":"Relationship","from":"f","to":["s"],"relationshipType":"hasDeclaredLicense"},
			{"type":"expandedlicensing_ConjunctiveLicenseSet","spdxId":"s","expandedlicensing_member":["s","http://spdx.org/licenses/MIT"]}`),
		`{"@context":"https://spdx.org/rdf/3.0.1/","@graph":[{"type":"software_Package","verifiedUsing":{}}]}`,
		tagValue, "SPDXVersion: SPDX-2.3\nRelationship: SPDXRef-a DESCRIBES NONE\nPackageName: a\nPackageName: <text>", "spdxVersion: &a [*a]",
		`<!DOCTYPE bom [<!ENTITY a "b">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components/></bom>`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[null]}`, `{"spdxVersion":"SPDX-2.3","packages":[null]}`,
		`{"spdxVersion":{}}`, `{"bomFormat":"CycloneDX"`, "\ufeff{}", "[[[[", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		bom.Detect("", content)
		doc, err := bom.Parse(content)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" || doc.Components != nil {
				t.Fatalf("an error without a sentence, or with a document: %q", err)
			}
			return
		}
		checkDocument(t, "fuzzed", doc)
		merged := bom.Merge(doc)
		var out bytes.Buffer
		if err := bom.WriteCycloneDX(&out, exported(merged)); err != nil {
			t.Fatal(err)
		}
		back, err := bom.Parse(out.Bytes())
		if err != nil || fmt.Sprint(bom.Merge(back)) != fmt.Sprint(merged) {
			t.Fatalf("what was written reads back as %+v, not %+v: %v", bom.Merge(back), merged, err)
		}
		again, err := bom.Parse(content)
		if err != nil || fmt.Sprint(doc) != fmt.Sprint(again) {
			t.Fatalf("the same bytes gave another document: %v", err)
		}
	})
}

// generated is a document with n components and as many dependencies, as tools write them.
func generated(n int) []byte {
	var components, edges strings.Builder
	for i := range n {
		if i > 0 {
			components.WriteByte(',')
			edges.WriteByte(',')
		}
		ref := fmt.Sprintf("pkg:golang/example.org/group%d/module%d@v1.%d.0?type=module", i%50, i, i%9)
		fmt.Fprintf(&components, `{"bom-ref":%q,"type":"library","name":"example.org/group%d/module%d","version":"v1.%d.0","scope":"required","purl":%q,
			"hashes":[{"alg":"SHA-256","content":%q}],"licenses":[{"license":{"id":"Apache-2.0"}}],
			"externalReferences":[{"type":"vcs","url":"https://example.org/group%d/module%d"}]}`, ref, i%50, i, i%9, ref, digestA, i%50, i)
		fmt.Fprintf(&edges, `{"ref":%q,"dependsOn":["root"]}`, ref)
	}
	return cyclone(`,"metadata":{"component":{"bom-ref":"root","name":"app"}},"components":[` + components.String() + `],"dependencies":[` + edges.String() + `]`)
}

func BenchmarkParse(b *testing.B) {
	documents := realDocuments(b)
	documents["2000 components"] = generated(2000)
	for name, content := range documents {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bom.Parse(content); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
