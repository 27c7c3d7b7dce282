package policies_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/internal/rego"
)

// A case passes over testdata/input.json. Reads are the parts of the input that the rule looks at. Irrelevant are the paths
// within them whose loss may leave it passing, as path.Match patterns; "/**" at the end means everything below, and a kind
// of loss behind the pattern, such as "is gone", allows that one alone. Whatever is not listed is relevant.
type mutationCase struct {
	name, template, parameters string
	reads                      []string
	irrelevant                 []string
}

// fieldsOf lists fields of the elements of a part, and what is below them.
func fieldsOf(prefix string, names ...string) []string {
	var list []string
	for _, name := range names {
		list = append(list, prefix+"/"+name)
	}
	return list
}

// withAll lists the paths and everything below them.
func withAll(paths ...string) []string {
	var list []string
	for _, p := range paths {
		list = append(list, p, p+"/**")
	}
	return list
}

func mutationCases() []mutationCase {
	return slices.Concat(evidenceCases(), bomCases(), buildCases(), reportCases(), stateCases())
}

// aContent is what rules that match by digest do not look at in a content.
func aContent() []string {
	return append(fieldsOf("contents/?", "purl", "kind", "connection_level", "owning_application"), "contents/? is gone")
}

func evidenceCases() []mutationCase {
	return []mutationCase{
		{
			"evidence on every artifact, signed and young", "evidence-present",
			`{"predicateType":"https://slsa.dev/provenance/v1","verified":true,"signers":["ci"],"maxAgeDays":2,"onEveryArtifact":true}`,
			[]string{"evaluated_at", "contents", "evidence"},
			slices.Concat(aContent(), []string{"contents/?/name"}, withAll("evidence/[^0]", "evidence/0/predicate", "evidence/0/view"),
				fieldsOf("evidence/0", "provider", "category", "stage", "collected")),
		},
		{
			"evidence for the version", "evidence-present",
			`{"predicateType":"https://plimsoll.dev/attestations/review/v1","verified":true,"onEveryArtifact":false}`,
			[]string{"version", "evidence"},
			slices.Concat(withAll("version/[^m]*", "evidence/[^2]", "evidence/2/predicate"),
				fieldsOf("evidence/2", "category", "provider", "stage", "signer", "created_at", "view", "collected")),
		},
		{
			"evidence of an image index that holds an artifact", "evidence-present",
			`{"predicateType":"https://slsa.dev/verification_summary/v0.2","signers":["ci"],"maxAgeDays":2,"acceptIndex":true}`,
			[]string{"evaluated_at", "contents", "index_evidence"},
			slices.Concat(fieldsOf("contents/?", "name", "purl", "kind", "connection_level", "owning_application"), []string{"contents/1", "contents/1/d*"},
				withAll("index_evidence/0/subjects", "index_evidence/0/predicate"), fieldsOf("index_evidence/0", "category", "collected", "provider", "stage", "view")),
		},
		{
			"signed by those who may", "signed-by", `{"signers":["ci","verifier"],"count":2}`,
			[]string{"contents", "evidence"},
			slices.Concat(aContent(), []string{"contents/?/name"}, withAll("evidence/[^07]"), signedEvidence("evidence/0"), signedEvidence("evidence/7"),
				[]string{"evidence/?/predicate_type"}),
		},
	}
}

// signedEvidence is what rules on signed statements do not look at, its view and predicate included.
func signedEvidence(at string) []string {
	return slices.Concat(fieldsOf(at, "category", "provider", "stage", "created_at"), withAll(at+"/predicate", at+"/view"))
}

func bomCases() []mutationCase {
	component := slices.Concat(fieldsOf("components/?", "purl", "name", "version"), withAll("components/?/sboms"), []string{"components/? is gone", "components/2/licenses/? is gone"})
	return []mutationCase{
		{
			"an SBOM for every artifact", "sbom-complete", `{"minComponents":1}`,
			[]string{"contents", "sboms"},
			slices.Concat(aContent(), fieldsOf("sboms/?", "spec_version", "verified", "signer"),
				[]string{"contents/?/name", "contents/1/digest is null"}), // a package whose digest is null is left out
		},
		{
			"licences that are allowed", "license-allowed", `{"allow":["MIT","Apache-2.0","BSD-3-Clause"],"deny":["AGPL-3.0-only"]}`,
			[]string{"components"},
			component, // one of two licences less is a smaller demand
		},
		{"licences that are not denied", "license-allowed", `{"deny":["AGPL-3.0-only"]}`, []string{"components"}, component},
	}
}

// TestRule19_NoMutantPassesVacuously takes each node of a passing input away, empties it or gives it another type.
// Where the rule looks at the node, nothing of that may end in PASS.
func TestRule19_NoMutantPassesVacuously(t *testing.T) {
	source, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	alone := make(map[string][]byte) // each part as a document of its own, which is quicker to change
	for name, part := range decode(t, source) {
		if alone[name], err = json.Marshal(map[string]any{name: part}); err != nil {
			t.Fatal(err)
		}
	}
	mutants := 0
	for _, c := range mutationCases() {
		t.Run(c.name, func(t *testing.T) {
			p, err := rego.Compile(t.Context(), template(t, c.template).Rego, []byte(c.parameters))
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, p, decode(t, source)); got != "PASS" {
				t.Fatalf("the input itself ends in %s", got)
			}
			parsed := parts(t, decode(t, source))
			if got := outcomeOf(t, p, rego.NewInput(only(parsed, c.reads))); got != "PASS" {
				t.Errorf("with nothing but %v it ends in %s", c.reads, got)
			}
			used := make(map[string]bool)
			for _, at := range paths(decode(t, source), nil) {
				if !slices.Contains(c.reads, at[0]) {
					continue
				}
				for _, m := range mutations(t, alone[at[0]], at) {
					mutants++
					changed := maps.Clone(parsed)
					delete(changed, at[0])
					if part, there := m.doc[at[0]]; there {
						changed[at[0]] = parts(t, map[string]any{at[0]: part})[at[0]]
					}
					if outcomeOf(t, p, rego.NewInput(changed)) != "PASS" {
						continue
					}
					pattern := irrelevant(c.irrelevant, at, m.kind)
					if pattern == "" {
						t.Errorf("%s %s, and it passes", strings.Join(at, "/"), m.kind)
					}
					used[pattern] = true
				}
			}
			for _, pattern := range c.irrelevant {
				if !used[pattern] {
					t.Errorf("%q is listed as irrelevant, but its loss never passes", pattern)
				}
			}
		})
	}
	t.Logf("%d mutants", mutants)
}

func TestRule19_NoInputIsNoPass(t *testing.T) {
	for _, c := range mutationCases() {
		p, err := rego.Compile(t.Context(), template(t, c.template).Rego, []byte(c.parameters))
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range []map[string]any{{}, {"version": map[string]any{}}, {"contents": []any{}, "evidence": []any{}, "sboms": []any{}, "components": []any{}, "version": map[string]any{"history": []any{}}}} {
			if got := outcome(t, p, doc); got != "NOT_EVIDENCED" {
				t.Errorf("%s over %v: %s", c.name, doc, got)
			}
		}
	}
}

// TestRule19_NoParameterPassesVacuously does the same to the parameters: the schema refuses such values, but a rule
// does not rely on it.
func TestRule19_NoParameterPassesVacuously(t *testing.T) {
	failing := map[string]string{ // an input each that the full parameters refuse
		"evidence-present": `{"predicateType":"https://cyclonedx.org/bom","verified":true,"signers":["other"],"maxAgeDays":1,"onEveryArtifact":true,"acceptIndex":false}`,
		"gate-certified":   `{"stage":"QA","gate":"RELEASE"}`,
		"sbom-complete":    `{"formats":["SPDX"],"minComponents":50}`,
		"license-allowed":  `{"deny":["MIT"]}`,

		"max-vulnerability": `{"cvss":3,"severity":"LOW","onlyFixable":false,"kev":true,"maxFeedAgeHours":1}`,
		"slsa-provenance":   `{"builders":["https://other.example"],"minLevel":3,"sourceRepositories":["https://other.example"],"acceptIndex":false}`,
		"source-branch":     `{"refs":["refs/heads/other"],"builders":["https://other.example"],"acceptIndex":false}`,
		"signed-by":         `{"signers":["other"],"count":2,"acceptIndex":false}`,
		"static-analysis":   `{"maxErrors":0,"maxWarnings":1,"tools":["gosec"],"verified":true}`,
		"quality-gate":      `{"allowWarned":"x","verified":"x"}`,
		"approved-by":       `{"approvers":["team:other"],"count":3,"notAuthor":true}`,
		"owner-set":         `{"minOwners":3,"team":"x"}`,
		"soak-time":         `{"stage":"STAGING","hours":100}`,
	}
	source, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(failing)) {
		for _, at := range paths(decode(t, []byte(failing[name])), nil) {
			for _, m := range mutations(t, []byte(failing[name]), at) {
				b, err := json.Marshal(m.doc)
				if err != nil {
					t.Fatal(err)
				}
				p, err := rego.Compile(t.Context(), template(t, name).Rego, b)
				if err != nil {
					t.Fatal(err)
				}
				if got := outcome(t, p, decode(t, source)); got == "PASS" {
					t.Errorf("%s with %s passes", name, b)
				}
			}
		}
	}
}

type mutant struct {
	kind string // "is gone", "is null", …
	doc  map[string]any
}

func mutations(t *testing.T, source []byte, at []string) []mutant {
	t.Helper()
	var list []mutant
	original := get(decode(t, source), at)
	doc := decode(t, source)
	drop(doc, at)
	list = append(list, mutant{"is gone", doc})
	for _, with := range []any{nil, "", "x", float64(0), float64(-1), false, true, []any{}, map[string]any{}, []any{original}, map[string]any{"0": original}} {
		if reflect.DeepEqual(with, original) {
			continue
		}
		doc := decode(t, source)
		set(doc, at, with)
		b, err := json.Marshal(with)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, mutant{fmt.Sprintf("is %.40s", b), doc})
	}
	return list
}

// only keeps some of the parts.
func only(parts map[string]rego.Value, names []string) map[string]rego.Value {
	kept := make(map[string]rego.Value, len(names))
	for _, name := range names {
		kept[name] = parts[name]
	}
	return kept
}

// irrelevant returns the pattern that allows the mutant to pass, or "".
func irrelevant(patterns, at []string, kind string) string {
	joined := strings.Join(at, "/")
	for _, entry := range patterns {
		pattern, allowed, limited := strings.Cut(entry, " ")
		if limited && kind != allowed {
			continue
		}
		target := joined
		if prefix, deep := strings.CutSuffix(pattern, "/**"); deep {
			n := strings.Count(prefix, "/") + 1
			if len(at) <= n {
				continue
			}
			pattern, target = prefix, strings.Join(at[:n], "/")
		}
		if ok, _ := path.Match(pattern, target); ok {
			return entry
		}
	}
	return ""
}

func outcome(t *testing.T, p *rego.Policy, doc map[string]any) string {
	t.Helper()
	return outcomeOf(t, p, rego.NewInput(parts(t, doc)))
}

func outcomeOf(t *testing.T, p *rego.Policy, in rego.Input) string {
	t.Helper()
	r, err := p.Evaluate(t.Context(), in, rego.Limits{Time: 1 << 40})
	switch {
	case err != nil:
		return "ERROR"
	case len(r.Examined) == 0:
		if len(r.Violations) == 0 {
			t.Errorf("nothing to look at, and nothing said of it")
		}
		return "NOT_EVIDENCED"
	case len(r.Violations) > 0:
		return "VIOLATION"
	}
	return "PASS"
}

func inputOf(t testing.TB, doc map[string]any) rego.Input { return rego.NewInput(parts(t, doc)) }

func parts(t testing.TB, doc map[string]any) map[string]rego.Value {
	t.Helper()
	parts := make(map[string]rego.Value, len(doc))
	for key, part := range doc {
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		if parts[key], err = rego.ParseValue(b); err != nil {
			t.Fatal(err)
		}
	}
	return parts
}

func decode(t testing.TB, source []byte) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(source, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// paths lists every node below the root.
func paths(node any, at []string) [][]string {
	var list [][]string
	add := func(key string, child any) {
		here := append(slices.Clone(at), key)
		list = append(append(list, here), paths(child, here)...)
	}
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			add(key, node[key])
		}
	case []any:
		for i, child := range node {
			add(strconv.Itoa(i), child)
		}
	}
	return list
}

func get(node any, at []string) any {
	for _, key := range at {
		switch n := node.(type) {
		case map[string]any:
			node = n[key]
		case []any:
			i, _ := strconv.Atoi(key)
			node = n[i]
		}
	}
	return node
}

func set(doc map[string]any, at []string, value any) {
	last := at[len(at)-1]
	switch parent := get(doc, at[:len(at)-1]).(type) {
	case map[string]any:
		parent[last] = value
	case []any:
		i, _ := strconv.Atoi(last)
		parent[i] = value
	}
}

func drop(doc map[string]any, at []string) {
	last := at[len(at)-1]
	switch parent := get(doc, at[:len(at)-1]).(type) {
	case map[string]any:
		delete(parent, last)
	case []any:
		i, _ := strconv.Atoi(last)
		set(doc, at[:len(at)-1], slices.Delete(slices.Clone(parent), i, i+1))
	}
}

func TestTheInputIsAsItsSchemaSays(t *testing.T) {
	schemaSource, err := os.ReadFile("../docs/policy-input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := compileSchema(t, schemaSource)
	f, err := os.Open("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
	root := doc.(map[string]any)
	for key := range maps.Clone(root) {
		value := root[key]
		delete(root, key)
		if schema.Validate(doc) == nil {
			t.Errorf("an input without %s is taken", key)
		}
		root[key] = value
	}
}
