package apitest_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule23_ADecisionIsMadeAgainFromWhatTheAPIGives takes input, capabilities, Rego and parameters of a recorded decision
// and evaluates them as stock opa does.
func TestRule23_ADecisionIsMadeAgainFromWhatTheAPIGives(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.guard("bills", "sbom-complete", object{}, "DEV", "ENTRY", "WARN")
		s.guard("licences", "license-allowed", object{"deny": []string{"MIT"}}, "DEV", "ENTRY", "WARN")
		s.report("gateway", "1.0.0")
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"digest": image}}}})
		s.move("1.0.0", "DEV", "COMPLETED")
		evaluation := s.post(admin, `{ applicationVersion(application: "gateway", version: "1.0.0") { promotions { edges { node { evaluations {
			input inputDigest capabilities capabilitiesDigest
			results { outcome result rule { query parameters templateDigest template } } } } } } } }`, nil)
		if len(evaluation.Errors) > 0 {
			t.Fatal(evaluation.raw)
		}
		var got struct {
			ApplicationVersion struct {
				Promotions struct {
					Edges []struct {
						Node struct{ Evaluations []recorded }
					}
				}
			}
		}
		if err := json.Unmarshal(evaluation.Data, &got); err != nil {
			t.Fatal(err)
		}
		e := got.ApplicationVersion.Promotions.Edges[0].Node.Evaluations[0]
		if canonical.Digest([]byte(e.Input)) != e.InputDigest || canonical.Digest([]byte(e.Capabilities)) != e.CapabilitiesDigest {
			t.Error("input or capabilities do not have their digest")
		}
		if strings.Contains(e.Input, "alice") {
			t.Errorf("a person's name is in the input: %s", e.Input)
		}
		obeys(t, "../../docs/policy-input.schema.json", e.Input)
		if len(e.Results) != 2 || e.Results[0].Outcome != "PASS" || e.Results[1].Outcome != "VIOLATION" {
			t.Fatalf("results: %+v", e.Results)
		}
		sources := s.sources()
		for _, r := range e.Results {
			source := sources[r.Rule.Template]
			if canonical.Digest([]byte(source)) != r.Rule.TemplateDigest {
				t.Errorf("the Rego of %s does not have its digest", r.Rule.Template)
			}
			if again := evaluate(t, source, e.Input, e.Capabilities, r.Rule.Query, r.Rule.Parameters); again != r.Result {
				t.Errorf("%s says\n%s\nand said\n%s", r.Rule.Template, again, r.Result)
			}
		}
	})
}

type recorded struct {
	Input, InputDigest, Capabilities, CapabilitiesDigest string
	Results                                              []struct {
		Outcome, Result string
		Rule            struct {
			Query, TemplateDigest, Template string
			Parameters                      json.RawMessage
		}
	}
}

// sources returns the Rego of every template.
func (s *server) sources() map[string]string {
	s.t.Helper()
	sources := map[string]string{}
	edges := s.post(admin, `{ policyTemplates(first: 100) { edges { node { name rego } } } }`, nil).at(s.t, "policyTemplates", "edges")
	for _, e := range edges.([]any) {
		node := e.(object)["node"].(object)
		sources[node["name"].(string)] = node["rego"].(string)
	}
	return sources
}

// evaluate does what `opa eval -d policy.rego -d data.json -i input.json --capabilities … --strict-builtin-errors` does.
func evaluate(t *testing.T, source, input, capabilities, query string, parameters json.RawMessage) string {
	t.Helper()
	caps, err := ast.LoadCapabilitiesJSON(strings.NewReader(capabilities))
	if err != nil {
		t.Fatal(err)
	}
	var in any
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		t.Fatal(err)
	}
	data := inmem.NewFromReader(strings.NewReader(`{"parameters":` + string(parameters) + `}`))
	rs, err := rego.New(rego.Query(query), rego.Module("policy.rego", source), rego.Input(in), rego.Store(data),
		rego.Capabilities(caps), rego.StrictBuiltinErrors(true)).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		t.Fatalf("evaluate: %v, %d results", err, len(rs))
	}
	b, err := canonical.JSON(rs[0].Expressions[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func obeys(t *testing.T, path, document string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("policy-input.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("policy-input.json")
	if err != nil {
		t.Fatal(err)
	}
	in, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(in); err != nil {
		t.Errorf("the input is not as documented: %v", err)
	}
}
