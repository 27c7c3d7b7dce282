package view_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

func scanFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "scans", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// scanFiles says what each file is.
func scanFiles() map[string]string {
	own := "https://plimsoll.dev/documents/"
	return map[string]string{
		"trivy.json": own + "trivy/v1", "grype.json": own + "grype/v1", "osv-scanner.json": own + "osv-scanner/v1",
		"sonarqube.json": own + "sonarqube-quality-gate/v1", "scorecard.json": "https://scorecard.dev/result/v0.1",
		"sarif.json":   "https://docs.oasis-open.org/sarif/sarif/v2.1.0",
		"openvex.json": "https://openvex.dev/ns/v0.2.0", "csaf.json": "https://docs.oasis-open.org/csaf/csaf/v2.0",
		"cyclonedx.json": "https://cyclonedx.org/bom", "cyclonedx.xml": "https://cyclonedx.org/bom",
	}
}

func mustRead(t *testing.T, predicateType string, content []byte) view.View {
	t.Helper()
	v, known, err := view.Read(predicateType, content)
	if err != nil || !known {
		t.Fatalf("%s: known %v, %v", predicateType, known, err)
	}
	return v
}

// says compares values by their JSON.
func says(t *testing.T, got any, want string) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != strings.Join(strings.Split(want, "\n"), "") {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestTrivyFindingsAreWorstFirstAndKeepSecretsOut(t *testing.T) {
	v := mustRead(t, scanFiles()["trivy.json"], scanFile(t, "trivy.json"))
	says(t, v.Vulnerabilities, `{"scanner":"Trivy","scanner_version":"0.60.0","database_date":null,"scanned_at":"2026-05-01T08:00:00Z",
"counts":{"critical":1,"high":0,"medium":0,"low":0,"negligible":0,"unknown":1},"findings":[
{"id":"CVE-2026-0001","aliases":[],"severity":"CRITICAL","score":9.8,"package":"a","purl":"","version":"2.0","fixed_versions":[]},
{"id":"CVE-2026-0002","aliases":["GHSA-xxxx"],"severity":"UNKNOWN","score":0,"package":"b","purl":"pkg:npm/b@1.0.0","version":"1.0.0","fixed_versions":["1.1.1","1.2.0"]}]}`)
	says(t, v.StaticAnalysis.Findings, `[{"rule":"AVD-DS-0002","level":"ERROR","message":"runs as root","file":"Dockerfile","line":3},
{"rule":"private-key","level":"NOTE","message":"a key","file":"config.env","line":1}]`)
	if v := mustRead(t, scanFiles()["trivy.json"], []byte(`{"SchemaVersion":2}`)); v.Vulnerabilities == nil || v.StaticAnalysis != nil {
		t.Error("a report without Results found nothing")
	}
}

func TestGrypeTakesTheHighestScoreAndIgnoresWhatWasIgnored(t *testing.T) {
	v := mustRead(t, scanFiles()["grype.json"], scanFile(t, "grype.json"))
	says(t, v.Vulnerabilities, `{"scanner":"Grype","scanner_version":"0.110.0","database_date":"2026-04-30T00:00:00Z","scanned_at":"2026-05-01T00:00:00Z",
"counts":{"critical":0,"high":1,"medium":0,"low":0,"negligible":1,"unknown":0},"findings":[
{"id":"CVE-2026-0004","aliases":[],"severity":"HIGH","score":0,"package":"d","purl":"","version":"1","fixed_versions":[]},
{"id":"GHSA-1","aliases":["CVE-2026-0003"],"severity":"NEGLIGIBLE","score":5.5,"package":"c","purl":"pkg:deb/debian/c@2","version":"2","fixed_versions":["3"]}]}`)
}

func TestOSVScannerCountsAGroupOnce(t *testing.T) {
	v := mustRead(t, scanFiles()["osv-scanner.json"], scanFile(t, "osv-scanner.json"))
	says(t, v.Vulnerabilities.Findings, `[{"id":"GHSA-e","aliases":["CVE-2026-0005","GO-e"],"severity":"CRITICAL","score":9.8,"package":"e","purl":"","version":"1.0.0","fixed_versions":["1.0.1"]},
{"id":"GHSA-f","aliases":[],"severity":"MEDIUM","score":0,"package":"e","purl":"","version":"1.0.0","fixed_versions":[]}]`)
}

func TestVulnsReadsSeveritiesAsWordsAndScores(t *testing.T) {
	for _, predicateType := range []string{"https://in-toto.io/attestation/vulns/v0.1", "https://in-toto.io/attestation/vulns/v0.2", "https://cosign.sigstore.dev/attestation/vuln/v1"} {
		v := mustRead(t, predicateType, scanFile(t, "vulns.json")).Vulnerabilities
		says(t, v.Counts, `{"critical":1,"high":0,"medium":1,"low":0,"negligible":0,"unknown":0}`)
		says(t, v.ScannedAt, `"2026-05-01T00:01:00Z"`)
		says(t, v.DatabaseDate, `"2026-04-30T00:00:00Z"`)
	}
	for _, file := range []string{"trivy.json", "grype.json", "osv-scanner.json", "sarif.json"} {
		wrapped := fmt.Sprintf(`{"scanner":{"uri":"u","result":%s}}`, scanFile(t, file))
		v := mustRead(t, "https://cosign.sigstore.dev/attestation/vuln/v1", []byte(wrapped))
		if v.Vulnerabilities == nil && v.StaticAnalysis == nil || v.Vulnerabilities != nil && len(v.Vulnerabilities.Findings) != 2 {
			t.Errorf("%s inside of cosign's predicate: %+v", file, v.Vulnerabilities)
		}
	}
}

func TestSARIFLevelsAndSuppressionsAreThoseOfTheStandard(t *testing.T) {
	v := mustRead(t, scanFiles()["sarif.json"], scanFile(t, "sarif.json")).StaticAnalysis
	says(t, v, `{"tool":"lint","version":"1.2.3","result":"","counts":{"error":3,"warning":1,"note":2,"none":1},"suppressed":1,"findings":[
{"rule":"A","level":"ERROR","message":"an extension's rule","file":"","line":0},{"rule":"A","level":"ERROR","message":"own level","file":"","line":0},
{"rule":"Z","level":"ERROR","message":"of another run","file":"","line":0},{"rule":"unheard","level":"WARNING","message":"warning by default","file":"","line":0},
{"rule":"A","level":"NOTE","message":"s","file":"","line":0},{"rule":"A/sub","level":"NOTE","message":"from the rule","file":"a.go","line":7},
{"rule":"B","level":"NONE","message":"overridden to none","file":"","line":0}],"conditions":[]}`)
}

func TestSonarQubeAndScorecardGiveConditions(t *testing.T) {
	want := `{"tool":"SonarQube","version":"","result":"FAILED","counts":{"error":0,"warning":0,"note":0,"none":0},"suppressed":0,"findings":[],"conditions":[
{"metric":"new_coverage","result":"FAILED","value":"40.2","threshold":"80"}`
	webhook := mustRead(t, scanFiles()["sonarqube.json"], scanFile(t, "sonarqube.json"))
	says(t, webhook.StaticAnalysis, want+`,{"metric":"new_bugs","result":"PASSED","value":"","threshold":"0"}]}`)
	api := `{"projectStatus":{"status":"ERROR","conditions":[{"status":"ERROR","metricKey":"new_coverage","comparator":"LT","errorThreshold":"80","actualValue":"40.2"}]}}`
	says(t, mustRead(t, scanFiles()["sonarqube.json"], []byte(api)).StaticAnalysis, want+`]}`)
	card := mustRead(t, scanFiles()["scorecard.json"], scanFile(t, "scorecard.json")).StaticAnalysis
	says(t, card.Conditions, `[{"metric":"Code-Review","result":"","value":"10","threshold":""},{"metric":"Packaging","result":"","value":"-1","threshold":""}]`)
}

func TestVexSaysTheSameInAllItsFormats(t *testing.T) {
	for file, want := range map[string]string{
		"openvex.json": `{"author":"Jo","statements":[{"vulnerability":"CVE-2026-0001","aliases":["GHSA-1","GHSA-2"],"status":"NOT_AFFECTED","justification":"component_not_present","statement":"not there","at":"2026-05-01T00:00:00Z","products":["cpe:2.3:a:x","pkg:npm/a@1.0.0"]},
{"vulnerability":"CVE-2026-0001","aliases":[],"status":"AFFECTED","justification":"","statement":"update","at":"2026-05-02T00:00:00Z","products":["pkg:npm/a@1.0.0"]}],"statement_count":2}`,
		"csaf.json": `{"author":"Example","statements":[{"vulnerability":"CVE-2026-0001","aliases":[],"status":"NOT_AFFECTED","justification":"vulnerable_code_not_present","statement":"never built in","at":"2026-05-01T00:00:00Z","products":["pkg:npm/p@1.0.0"]},
{"vulnerability":"CVE-2026-0001","aliases":[],"status":"NOT_AFFECTED","justification":"","statement":"","at":"2026-05-01T00:00:00Z","products":["Linux 8"]},
{"vulnerability":"CVE-2026-0001","aliases":[],"status":"FIXED","justification":"","statement":"","at":"2026-05-01T00:00:00Z","products":["P 1 in Linux 8"]}],"statement_count":3}`,
		"cyclonedx.json": `{"author":"","statements":[{"vulnerability":"CVE-2026-0001","aliases":["GHSA-1"],"status":"NOT_AFFECTED","justification":"vulnerable_code_not_in_execute_path","statement":"dead code","at":"2026-05-01T00:00:00Z","products":["b@2","pkg:npm/a@1.0.0"]},
{"vulnerability":"CVE-2026-0002","aliases":[],"status":"AFFECTED","justification":"","statement":"","at":"2026-05-01T00:00:00Z","products":["urn:cdx:x/1#c vers:npm/\u003c2"]},
{"vulnerability":"CVE-2026-0003","aliases":[],"status":"UNDER_INVESTIGATION","justification":"","statement":"","at":"2026-05-01T00:00:00Z","products":["pkg:npm/a@1.0.0"]}],"statement_count":3}`,
		"cyclonedx.xml": `{"author":"","statements":[{"vulnerability":"CVE-2026-0001","aliases":[],"status":"FIXED","justification":"","statement":"","at":null,"products":["pkg:npm/a@1.0.0"]}],"statement_count":1}`,
	} {
		t.Run(file, func(t *testing.T) { says(t, mustRead(t, scanFiles()[file], scanFile(t, file)).Vex, want) })
	}
	if v, err := view.CycloneDXVex([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`)); v != nil || err != nil {
		t.Errorf("a bill of materials without vulnerabilities gave %v, %v", v, err)
	}
}

func TestScansThatLackWhatMattersAreRefused(t *testing.T) {
	types := scanFiles()
	types["vulns"] = "https://in-toto.io/attestation/vulns/v0.2"
	for _, c := range []struct{ kind, content, says string }{
		{"trivy.json", `{}`, "SchemaVersion"},
		{"trivy.json", `{"SchemaVersion":1}`, "SchemaVersion 1"},
		{"trivy.json", `{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{}]}]}`, "Results[0].Vulnerabilities[0].VulnerabilityID"},
		{"trivy.json", `{"SchemaVersion":2,"Results":{}}`, "/Results: its kind"},
		{"trivy.json", `{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"VulnerabilityID":1}]}]}`, "/Results/0/Vulnerabilities/0/VulnerabilityID"},
		{"trivy.json", "\x1f\x8b\x08", "unpack it first"},
		{"trivy.json", `{"SchemaVersion":2,"Results":[{"Vulnerabilities":[` + strings.Repeat("{},", 500_000) + `{}]}]}`, "more than 500000"},
		{"grype.json", `{}`, "matches"},
		{"grype.json", `{"matches":[{}]}`, "matches[0].vulnerability.id"},
		{"osv-scanner.json", `{}`, "results"},
		{"osv-scanner.json", `{"results":[{"packages":[{"groups":[{}]}]}]}`, "results[0].packages[0].groups[0].ids"},
		{"vulns", `{}`, "no scanner"},
		{"vulns", `{"scanner":{"uri":"u"}}`, "scanner.result"},
		{"vulns", `{"scanner":{"result":{"x":1}}}`, "neither"},
		{"vulns", `{"scanner":{"result":[{}]}}`, "[0] has no id"},
		{"sarif.json", `{"version":"2.1.0","runs":null}`, "no runs"},
		{"sarif.json", `{"version":"2.1.0","Runs":[{}]}`, "no runs"},
		{"sarif.json", `{"runs":[]}`, "no version"},
		{"sarif.json", `{"version":"2.2","runs":[]}`, `"2.2"`},
		{"sarif.json", `{"version":"2.1.0","runs":[{"tool":{"driver":{}}}]}`, "runs[0].tool.driver"},
		{"sarif.json", `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"level":"bad"}]}]}`, "results[0].level"},
		{"sonarqube.json", `{}`, "qualityGate"},
		{"sonarqube.json", `{"qualityGate":{"status":"NONE"}}`, "qualityGate.status"},
		{"sonarqube.json", `{"projectStatus":{"status":"OK","conditions":[{}]}}`, "projectStatus.conditions[0].status"},
		{"scorecard.json", `{}`, "checks"},
		{"scorecard.json", `{"checks":[{"name":"x"}]}`, "checks[0].score"},
		{"openvex.json", `{}`, "statements"},
		{"openvex.json", `{"statements":[{"vulnerability":"x","status":"fine"}]}`, "statements[0].status"},
		{"openvex.json", `{"statements":[{"status":"fixed"}]}`, "statements[0] has no vulnerability"},
		{"openvex.json", `{"statements":[{"vulnerability":"x","status":"fixed","products":[{}]}]}`, "statements[0].products[0]"},
		{"csaf.json", `{}`, "document.csaf_version"},
		{"csaf.json", `{"document":{"csaf_version":"2.0"},"vulnerabilities":[{}]}`, "vulnerabilities[0].cve"},
		{"csaf.json", `{"document":{"csaf_version":"2.0"},"vulnerabilities":[{"cve":"x","product_status":{"fixed":["p"]}}]}`, "vulnerabilities[0]: product_status.fixed[0]"},
		{"cyclonedx.json", `{}`, "bomFormat"},
		{"cyclonedx.json", `{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"x","analysis":{"state":"fine"}}]}`, "vulnerabilities[0].analysis.state"},
		{"cyclonedx.xml", `<!DOCTYPE bom [<!ENTITY a "b">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`, "document type"},
		{"cyclonedx.xml", `<bom/>`, "namespace"},
		{"cyclonedx.xml", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6">` + strings.Repeat("<a>", 200), "deeper"},
	} {
		v, known, err := view.Read(types[c.kind], []byte(c.content))
		if !known || err == nil || !strings.Contains(err.Error(), c.says) || v != (view.View{}) {
			t.Errorf("%s %.80s: %v, want %q", c.kind, c.content, err, c.says)
		}
	}
}

func FuzzScans(f *testing.F) {
	types := []string{"https://in-toto.io/attestation/vulns/v0.2"}
	f.Add(uint8(0), scanFile(f, "vulns.json"))
	for file, predicateType := range scanFiles() {
		f.Add(uint8(len(types)), scanFile(f, file))
		types = append(types, predicateType)
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		predicateType := types[int(which)%len(types)]
		v, known, err := view.Read(predicateType, content)
		if !known || err != nil && (err.Error() == "" || v != (view.View{})) {
			t.Fatalf("%s: known %v, %v, %+v", predicateType, known, err, v)
		}
		again, _, _ := view.Read(predicateType, content)
		a, errA := json.Marshal(v)
		b, errB := json.Marshal(again)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("equal bytes gave %s and %s (%v, %v)", a, b, errA, errB)
		}
	})
}
