package view_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

func TestDetectTellsDocumentsByTheirContent(t *testing.T) {
	for file, want := range scanFiles() {
		for _, mediaType := range []string{"", "application/octet-stream", "text/plain; charset=utf-8"} {
			got, err := view.Detect(mediaType, scanFile(t, file))
			if err != nil || got.PredicateType != want || got.Sbom != strings.HasPrefix(file, "cyclonedx") || got.MediaType == "" {
				t.Errorf("%s as %q: %+v, %v", file, mediaType, got, err)
			}
		}
	}
	own := "https://plimsoll.dev/documents/"
	for _, c := range [][2]string{
		{`{"spdxVersion":"SPDX-2.3"}`, "https://spdx.dev/Document"},
		{`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`, "https://spdx.dev/Document/v3"},
		{`{"@context":["https://spdx.org/rdf/3.0.1/spdx-context.jsonld",{}],"@graph":[]}`, "https://spdx.dev/Document/v3"},
		{"\ufeffSPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "https://spdx.dev/Document"},
		{"# made by hand\nSPDXVersion: SPDX-2.3\n", "https://spdx.dev/Document"},
		{"\ufeff \n<b:bom xmlns:b='http://cyclonedx.org/schema/bom/1.5'/>", "https://cyclonedx.org/bom"},
		{`{"projectStatus":{"status":"OK"}}`, own + "sonarqube-quality-gate/v1"},
		{`{"results":[],"experimental_config":{}}`, own + "osv-scanner/v1"},
		{`{"reportFormat":"CTRF","results":{"tool":{"name":"x"},"summary":{}}}`, own + "ctrf/v1"},
		{`<testsuites/>`, own + "junit/v1"},
		{`<assemblies/>`, own + "xunit/v1"},
		{`<test-run/>`, own + "nunit/v1"},
		{`<coverage line-rate="0.5"/>`, own + "cobertura/v1"},
		{"<report><counter type='LINE' /></report>", own + "jacoco/v1"},
		{"TAP version 14\n1..0\n", own + "tap/v1"},
		{"TN:\nSF:/a.go\nend_of_record\n", own + "lcov/v1"},
	} {
		if got, err := view.Detect("", []byte(c[0])); err != nil || got.PredicateType != c[1] {
			t.Errorf("%s: %+v, %v", c[0], got, err)
		}
	}
}

func TestDetectHoldsMediaTypesToWhatTheySay(t *testing.T) {
	for _, c := range []struct {
		mediaType, file string
		ok              bool
	}{
		{"application/vnd.cyclonedx+json; version=1.6", "cyclonedx.json", true},
		{"application/vnd.cyclonedx+xml", "cyclonedx.xml", true},
		{"application/vnd.cyclonedx+xml", "cyclonedx.json", false},
		{"application/vnd.cyclonedx+json", "cyclonedx.xml", false},
		{"application/sarif+json", "sarif.json", true},
		{"application/sarif+json", "trivy.json", false},
		{"application/spdx+json", "cyclonedx.json", false},
		{"text/spdx", "cyclonedx.json", false},
		{"application/csaf+json", "csaf.json", true},
		{"application/csaf+json", "openvex.json", false},
		{"application/vnd.openvex+json", "openvex.json", true},
		{"application/vnd.oci.image.index.v1+json", "sarif.json", false},
		{"image/png", "sarif.json", false},
		{"///", "sarif.json", false},
	} {
		got, err := view.Detect(c.mediaType, scanFile(t, c.file))
		if (err == nil) != c.ok || !c.ok && got != (view.Document{}) {
			t.Errorf("%s as %s: %+v, %v", c.file, c.mediaType, got, err)
		}
	}
}

func TestDetectSaysWhatIsTakenOfWhatItDoesNotKnow(t *testing.T) {
	for _, content := range []string{"", "{", "{}", "[]", "null", "hello", "<a/>", "<", `{"results":[{}]}`, `{"runs":[]}`, "\x00\xff"} {
		_, err := view.Detect("application/json", []byte(content))
		if err == nil || !strings.Contains(err.Error(), "SARIF") || !strings.Contains(err.Error(), "`predicateType`") {
			t.Errorf("%q: %v", content, err)
		}
	}
	for _, packed := range []string{"\x1f\x8b\x08\x00", "PK\x03\x04"} {
		if _, err := view.Detect("", []byte(packed)); err == nil || !strings.Contains(err.Error(), "unpack it first") {
			t.Errorf("%q: %v", packed, err)
		}
	}
	if _, err := view.Detect("", make([]byte, view.MaxDocument+1)); err == nil || !strings.Contains(err.Error(), "bytes long") {
		t.Errorf("a document that is too long: %v", err)
	}
}

func FuzzDetect(f *testing.F) {
	for file := range scanFiles() {
		f.Add("", scanFile(f, file))
	}
	f.Add("application/json; charset=utf-8", []byte(`{"a":[[{"b":"c"}]]}`))
	f.Add("text/xml", []byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	f.Fuzz(func(t *testing.T, mediaType string, content []byte) {
		got, err := view.Detect(mediaType, content)
		if (err == nil) != (got.PredicateType != "" && got.MediaType != "") {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
