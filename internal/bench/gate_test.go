package bench_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// The version that gates are measured on.
const (
	gateComponents      = 2000
	gateVulnerabilities = 500
)

// gateRules are ten rules of the built-in templates.
func gateRules() []object {
	return []object{
		{"template": "sbom-complete", "parameters": object{}},
		{"template": "license-allowed", "parameters": object{"deny": []string{"AGPL-3.0-only"}}},
		{"template": "license-allowed", "parameters": object{"allow": []string{"MIT", "Apache-2.0"}}},
		{"template": "max-vulnerability", "parameters": object{"severity": "CRITICAL"}},
		{"template": "max-vulnerability", "parameters": object{"cvss": 9.5, "onlyFixable": true}},
		{"template": "no-deprecated", "parameters": object{}},
		{"template": "owner-set", "parameters": object{}},
		{"template": "evidence-present", "parameters": object{"predicateType": "https://cyclonedx.org/bom", "verified": false}},
		{"template": "gate-certified", "parameters": object{"stage": "DEV", "gate": "ENTRY"}},
		{"template": "not-frozen", "parameters": object{}},
	}
}

// BenchmarkGate is a promotion through two gates of ten rules of the built-in templates, over 2,000 components and 500
// vulnerabilities: dry, and recorded. Its bound is the same twenty evaluations, prepared, over the same parsed inputs, and
// nothing else, in the same run.
func BenchmarkGate(b *testing.B) {
	s := newService(b)
	s.settle()
	s.knowVulnerabilities()
	artifacts := []object{s.bigBill()}
	for stage, kind := range map[string]string{"DEV": "EXIT", "QA": "ENTRY"} {
		s.guardWith(stage, kind, gateRules())
	}
	made := 0
	fresh := func() string {
		made++
		version := fmt.Sprintf("1.%d", made)
		s.do("createApplicationVersion", "CreateApplicationVersionInput", object{"applicationKey": "gateway", "version": version, "sources": object{"artifacts": artifacts}})
		s.do("promoteApplicationVersion", "PromoteApplicationVersionInput", object{"applicationKey": "gateway", "version": version, "toStage": "DEV"})
		return version
	}
	move := func(version string, dry bool) []byte {
		return s.send(request(b, promote, object{"input": object{"applicationKey": "gateway", "version": version, "toStage": "QA", "dryRun": dry}}))
	}
	evaluations := recorded(b, s, move(fresh(), false), 20)
	var bound time.Duration
	b.Run("opa-alone", func(b *testing.B) {
		for b.Loop() {
			for _, e := range evaluations {
				if _, err := e.policy.Evaluate(b.Context(), e.input, rego.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		}
		bound = b.Elapsed() / time.Duration(b.N)
	})
	report := func(b *testing.B, gates int) {
		if bound > 0 {
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N*gates))/float64(bound), "×opa")
		}
	}
	waits := fresh()
	b.Run("dry-run", func(b *testing.B) {
		for b.Loop() {
			move(waits, true)
		}
		report(b, 1)
	})
	b.Run("promote", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			version := fresh()
			b.StartTimer()
			move(version, false)
		}
		report(b, 1)
	})
	b.Run("ten-at-once", func(b *testing.B) {
		for b.Loop() {
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() { move(waits, true) })
			}
			all.Wait()
		}
		report(b, 10)
	})
}

// knowVulnerabilities imports an advisory for each of the first components of the bill.
func (s *service) knowVulnerabilities() {
	s.b.Helper()
	var documents []string
	for i := range gateVulnerabilities {
		documents = append(documents, fmt.Sprintf(`{"schema_version":"1.6.0","id":"GHSA-%04d-bcfg-hjmp","modified":"2026-01-01T00:00:00Z","published":"2025-01-01T00:00:00Z",`+
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N"}],`+
			`"affected":[{"package":{"ecosystem":"npm","name":"lib-%d"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`, i, i))
	}
	s.send(request(s.b, `mutation($input: ImportAdvisoriesInput!) { importAdvisories(input: $input) { imported } }`, object{"input": object{"format": "OSV", "documents": documents}}))
}

// bigBill attaches a bill of materials to an artifact, and returns that.
func (s *service) bigBill() object {
	s.b.Helper()
	components := make([]string, gateComponents)
	for i := range components {
		components[i] = fmt.Sprintf(`{"type":"library","bom-ref":"c%d","name":"lib-%d","version":"1.%d.0","purl":"pkg:npm/lib-%d@1.%d.0","licenses":[{"license":{"id":"MIT"}}]}`, i, i, i%9, i, i%9)
	}
	digest := canonical.Digest([]byte("the artifact"))
	s.do("submitEvidence", "SubmitEvidenceInput", object{"document": object{
		"mediaType": "application/vnd.cyclonedx+json", "subjects": []object{{"digest": digest}},
		"content": `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[` + strings.Join(components, ",") + `]}`,
	}})
	return object{"name": "image", "digest": digest}
}
