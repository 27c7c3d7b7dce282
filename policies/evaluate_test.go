package policies_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// TestRule23_StockOPAGivesTheSameBytes replays every case from source, parameters, input and capabilities alone.
func TestRule23_StockOPAGivesTheSameBytes(t *testing.T) {
	source, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(mutationCases(),
		mutationCase{"violations", "evidence-present", `{"predicateType":"https://cyclonedx.org/bom","onEveryArtifact":true}`, nil, nil},
		mutationCase{"violations", "gate-certified", `{"stage":"<QA>","gate":"EXIT"}`, nil, nil},
		mutationCase{"violations", "sbom-complete", `{"formats":["SPDX"],"minComponents":2}`, nil, nil},
		mutationCase{"violations", "license-allowed", `{"allow":["ISC"],"deny":["MIT"]}`, nil, nil},
		mutationCase{"violations", "max-vulnerability", `{"severity":"LOW"}`, nil, nil},
		mutationCase{"violations", "slsa-provenance", `{"builders":["<other>"],"minLevel":3}`, nil, nil},
		mutationCase{"violations", "tests-passed", `{"minPassed":1000,"minCoverage":99.5}`, nil, nil},
		mutationCase{"violations", "static-analysis", `{"maxErrors":0,"maxWarnings":1,"tools":["gosec"]}`, nil, nil},
		mutationCase{"violations", "approved-by", `{"approvers":["team:payments"]}`, nil, nil},
		mutationCase{"violations", "no-deprecated", `{}`, nil, nil},
		mutationCase{"violations", "soak-time", `{"stage":"QA","hours":1000}`, nil, nil}) {
		tpl := template(t, c.template)
		p, err := rego.Compile(t.Context(), tpl.Rego, []byte(c.parameters))
		if err != nil {
			t.Fatal(err)
		}
		in := inputOf(t, decode(t, source))
		want, err := canonical.Normalize(stock(t, tpl.Rego, c.parameters, decode(t, source), p.Query()))
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			got, err := p.Evaluate(t.Context(), in, rego.Limits{Time: 1 << 40})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Raw, want) {
				t.Fatalf("%s, %s:\ngot  %s\nwant %s", c.template, c.name, got.Raw, want)
			}
		}
	}
}

func stock(t *testing.T, source []byte, parameters string, in any, query string) []byte {
	t.Helper()
	caps, err := ast.LoadCapabilitiesJSON(bytes.NewReader(rego.Capabilities()))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := oparego.New(oparego.Module("policy.rego", string(source)), oparego.Capabilities(caps), oparego.StrictBuiltinErrors(true),
		oparego.Store(inmem.NewFromReader(strings.NewReader(`{"parameters":`+parameters+`}`))), oparego.Query(query), oparego.Input(in)).Eval(t.Context())
	if err != nil || len(rs) != 1 {
		t.Fatal(rs, err)
	}
	b, err := json.Marshal(rs[0].Expressions[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// truth is a recursive reader of the same expressions: OR binds looser than AND.
type truth struct {
	words   []string
	allowed []string
}

func (r *truth) or() bool {
	v := r.and()
	for r.take("OR") {
		v = r.and() || v
	}
	return v
}

func (r *truth) and() bool {
	v := r.one()
	for r.take("AND") {
		v = r.one() && v
	}
	return v
}

func (r *truth) one() bool {
	if r.take("(") {
		v := r.or()
		r.take(")")
		return v
	}
	word := r.words[0]
	r.words = r.words[1:]
	return slices.Contains(r.allowed, word)
}

func (r *truth) take(word string) bool {
	if len(r.words) == 0 || r.words[0] != word {
		return false
	}
	r.words = r.words[1:]
	return true
}

// TestLicenceExpressionsAreReadAsSPDXSays compares what Rego does without recursion with a reader that has it.
func TestLicenceExpressionsAreReadAsSPDXSays(t *testing.T) {
	allowed := []string{"MIT", "Apache-2.0", "0BSD"}
	licenses := []string{"MIT", "Apache-2.0", "0BSD", "ISC", "BSD-3-Clause", "Zlib"}
	rng := rand.New(rand.NewPCG(1, 2))
	var expression func(depth int) string
	expression = func(depth int) string {
		switch {
		case depth == 0 || rng.IntN(4) == 0:
			return licenses[rng.IntN(len(licenses))]
		case rng.IntN(3) == 0:
			return "(" + expression(depth-1) + ")"
		default:
			return expression(depth-1) + []string{" AND ", " OR "}[rng.IntN(2)] + expression(depth-1)
		}
	}
	var components []any
	want := make(map[string]bool)
	for range 800 {
		e := expression(6)
		reader := truth{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(e)), allowed: allowed}
		want[e] = reader.or()
		components = append(components, map[string]any{"purl": e, "licenses": []any{e}})
	}
	p, err := rego.Compile(t.Context(), template(t, "license-allowed").Rego, []byte(`{"allow":["MIT","Apache-2.0","0BSD"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Evaluate(t.Context(), inputOf(t, map[string]any{"components": components}), rego.Limits{Time: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	refused := make(map[string]bool)
	for _, v := range r.Violations {
		if v.Code != "LICENSE_NOT_ALLOWED" {
			t.Errorf("%s: %s", v.Subject, v.Code)
		}
		refused[v.Subject] = true
	}
	both := map[bool]int{}
	for e, ok := range want {
		both[ok]++
		if refused[e] == ok {
			t.Errorf("%s: want %v, the rule says %v", e, ok, !refused[e])
		}
	}
	if both[true] < 100 || both[false] < 100 {
		t.Errorf("one-sided: %v", both)
	}
}

// BenchmarkTemplates evaluates each template over a version with 50 artifacts, 100 pieces of evidence and 500
// components, with four vulnerabilities each.
func BenchmarkTemplates(b *testing.B) {
	in := inputOf(b, largeInput(500))
	for _, c := range mutationCases() {
		b.Run(c.template, func(b *testing.B) {
			p, err := rego.Compile(context.Background(), template(b, c.template).Rego, []byte(c.parameters))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Evaluate(context.Background(), in, rego.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func largeInput(n int) map[string]any {
	digest := func(i int) string { return fmt.Sprintf("sha256:%064x", i) }
	var contents, evidence, sboms, components []any
	for i := range n / 10 {
		contents = append(contents, map[string]any{"name": fmt.Sprint("artifact-", i), "purl": nil, "digest": digest(i), "kind": "ARTIFACT"})
		sboms = append(sboms, map[string]any{"digest": digest(1000 + i), "format": "SPDX", "subjects": []any{digest(i)}, "component_count": 10})
		for j, kind := range []string{"https://slsa.dev/provenance/v1", "https://example.com/other/v1"} {
			evidence = append(evidence, map[string]any{
				"digest": digest(2000 + 2*i + j), "predicate_type": kind, "verified": true, "signer": "ci",
				"created_at": "2026-11-20T03:00:00Z", "subjects": []any{digest(i)},
			})
		}
	}
	licenses := []string{"MIT", "Apache-2.0", "BSD-3-Clause", "MIT OR Apache-2.0", "(MIT AND BSD-3-Clause) OR GPL-3.0-only"}
	for i := range n {
		components = append(components, map[string]any{
			"purl": fmt.Sprintf("pkg:npm/p%d@1.0.0", i), "name": fmt.Sprint("p", i), "version": "1.0.0",
			"licenses": []any{licenses[i%len(licenses)]}, "sboms": []any{digest(1000 + i%50)},
		})
	}
	vulnerabilities := make([]any, 4*n)
	for i := range vulnerabilities {
		vulnerabilities[i] = map[string]any{
			"id": fmt.Sprintf("CVE-2026-%05d", i), "component": fmt.Sprintf("pkg:npm/p%d@1.0.0", i%n), "state": "AFFECTED", "severity": "HIGH",
			"cvss": 7 + float64(i%20)/10, "kev": i%100 == 0, "undecided": false, "fixed_in": []any{"1.0.1"},
		}
	}
	feeds := []any{
		map[string]any{"name": "osv", "format": "OSV", "digest": digest(5000), "checked_at": "2026-11-21T02:00:00Z"},
		map[string]any{"name": "kev", "format": "KEV", "digest": digest(5001), "checked_at": "2026-11-21T02:00:00Z"},
	}
	return map[string]any{
		"vulnerabilities": vulnerabilities, "feeds": feeds, "deprecated": []any{}, "approvals": []any{},
		"evaluated_at": "2026-11-21T03:00:00Z", "version": map[string]any{"manifest_digest": digest(9999), "history": []any{}},
		"contents": contents, "evidence": evidence, "sboms": sboms, "components": components,
	}
}
