package policies_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/policies"
)

// loaded compiles every template once for all tests.
var loaded = sync.OnceValues(policies.Builtin)

func builtin(t testing.TB) []policies.Template {
	t.Helper()
	list, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func template(t testing.TB, name string) policies.Template {
	t.Helper()
	for _, tpl := range builtin(t) {
		if tpl.Name == name {
			return tpl
		}
	}
	t.Fatalf("there is no template %s", name)
	return policies.Template{}
}

func TestEveryTemplateSaysWhatItIs(t *testing.T) {
	categories := []string{"AUDIT", "QUALITY", "SECURITY", "WORKFLOW"}
	control := regexp.MustCompile(`^[A-Z0-9-]+ [A-Za-z0-9.()-]+$`)
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for _, tpl := range builtin(t) {
		t.Run(tpl.Name, func(t *testing.T) {
			info, problems := rego.Check(tpl.Rego)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if !slices.Contains(categories, tpl.Category) {
				t.Errorf("category %q", tpl.Category)
			}
			for what, s := range map[string]string{"title": tpl.Title, "description": tpl.Description, "remediation": tpl.Remediation, "evidence": tpl.Evidence} {
				if len(s) < 5 {
					t.Errorf("no %s in METADATA", what)
				}
			}
			if len(tpl.Controls) == 0 {
				t.Error("no controls in METADATA")
			}
			for _, c := range tpl.Controls {
				if !control.MatchString(c) {
					t.Errorf("control %q is not `FRAMEWORK ID`", c)
				}
			}
			names := propertyNames(t, tpl)
			if !slices.Equal(info.Parameters, names) {
				t.Errorf("METADATA names the parameters %v, the schema %v", info.Parameters, names)
			}
			for _, p := range placeholder.FindAllString(tpl.Remediation, -1) {
				name, isParameter := strings.CutPrefix(strings.Trim(p, "{}"), "parameters.")
				if isParameter && !slices.Contains(names, name) || !isParameter && !slices.Contains([]string{"subject", "application", "version"}, name) {
					t.Errorf("the remediation has the unknown placeholder %s", p)
				}
			}
			domain, rule := filepath.Split(tpl.Folder)
			want := "plimsoll." + strings.TrimSuffix(domain, "/") + "." + strings.ReplaceAll(rule, "-", "_")
			if info.Package != want || rule != tpl.Name {
				t.Errorf("package %s in folder %s: want %s", info.Package, tpl.Folder, want)
			}
		})
	}
}

func propertyNames(t testing.TB, tpl policies.Template) []string {
	t.Helper()
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(tpl.ParametersSchema, &schema); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(schema.Properties))
	for name := range schema.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestEveryFileIsFormattedAndFinished(t *testing.T) {
	paths, err := filepath.Glob("*/*/*.rego")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	unfinished := regexp.MustCompile(`(?i)\b(TODO|FIXME|XXX)\b`)
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(path, source)
		if err != nil || !bytes.Equal(formatted, source) {
			t.Errorf("%s is not as opa fmt writes it (%v)", path, err)
		}
		if unfinished.Match(source) {
			t.Errorf("%s is not finished", path)
		}
		if test := strings.TrimSuffix(path, ".rego") + "_test.rego"; !strings.HasSuffix(path, "_test.rego") && !slices.Contains(paths, test) {
			t.Errorf("%s has no test beside it", path)
		}
	}
}

// TestEveryTemplateIsCovered runs the Rego tests with OPA's own runner under the capabilities of the engine.
func TestEveryTemplateIsCovered(t *testing.T) {
	for _, tpl := range builtin(t) {
		t.Run(tpl.Name, func(t *testing.T) {
			modules := make(map[string]*ast.Module)
			for _, path := range []string{tpl.Folder + "/" + tpl.Name + ".rego", tpl.Folder + "/" + tpl.Name + "_test.rego"} {
				source, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				modules[path] = ast.MustParseModuleWithOpts(string(source), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
			}
			caps, err := ast.LoadCapabilitiesJSON(bytes.NewReader(rego.Capabilities()))
			if err != nil {
				t.Fatal(err)
			}
			coverage := cover.New()
			results, err := tester.NewRunner().SetCompiler(ast.NewCompiler().WithCapabilities(caps).WithStrict(true)).
				SetDefaultRegoVersion(ast.RegoV1).RaiseBuiltinErrors(true).SetModules(modules).
				SetCoverageQueryTracer(coverage).SetCoverageRuns(nil).RunTests(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			passed := 0
			for r := range results {
				if !r.Pass() {
					t.Errorf("%s: %v %v", r.Name, r.Fail, r.Error)
					continue
				}
				passed++
			}
			if passed == 0 {
				t.Error("no test ran")
			}
			for file, report := range coverage.Report(modules).Files {
				if len(report.NotCovered) > 0 {
					t.Errorf("%s: not covered: %+v", file, report.NotCovered)
				}
			}
		})
	}
}

func TestParameterSchemas(t *testing.T) {
	for _, tpl := range builtin(t) {
		t.Run(tpl.Name, func(t *testing.T) {
			schema := compileSchema(t, tpl.ParametersSchema)
			if err := schema.Validate(map[string]any{"surely-not-a-parameter": true}); err == nil {
				t.Error("an unknown parameter is taken")
			}
			var doc struct {
				Schema     string `json:"$schema"`
				Properties map[string]struct {
					Title, Description string
					Default            any
				}
			}
			if err := json.Unmarshal(tpl.ParametersSchema, &doc); err != nil {
				t.Fatal(err)
			}
			if doc.Schema != "https://json-schema.org/draft/2020-12/schema" || len(doc.Properties) > 20 {
				t.Errorf("%s with %d properties", doc.Schema, len(doc.Properties))
			}
			for name, p := range doc.Properties {
				if p.Title == "" || p.Description == "" {
					t.Errorf("%s has no title or description", name)
				}
				if p.Default != nil {
					if err := schema.Properties[name].Validate(p.Default); err != nil {
						t.Errorf("the default of %s: %v", name, err)
					}
				}
			}
		})
	}
}

func compileSchema(t testing.TB, source []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestParametersThatAreRefused(t *testing.T) {
	for _, c := range []struct{ template, parameters string }{
		{"evidence-present", `{}`},
		{"evidence-present", `{"predicateType":""}`},
		{"evidence-present", `{"predicateType":"x","maxAgeDays":0}`},
		{"evidence-present", `{"predicateType":"x","maxAgeDays":1.5}`},
		{"evidence-present", `{"predicateType":"x","signers":[]}`},
		{"evidence-present", `{"predicateType":"x","signers":"ci"}`},
		{"evidence-present", `{"predicateType":"x","verified":"true"}`},
		{"evidence-present", `{"predicatetype":"x"}`},
		{"gate-certified", `{"stage":"QA"}`},
		{"gate-certified", `{"stage":"QA","gate":"entry"}`},
		{"gate-certified", `{"stage":"","gate":"ENTRY"}`},
		{"sbom-complete", `{"formats":[]}`},
		{"sbom-complete", `{"formats":["XML"]}`},
		{"sbom-complete", `{"minComponents":0}`},
		{"license-allowed", `{}`},
		{"license-allowed", `{"allow":[]}`},
		{"license-allowed", `{"allow":"MIT"}`},
		{"license-allowed", `{"deny":[1]}`},
		{"max-vulnerability", `{"severity":"NONE"}`},
		{"max-vulnerability", `{"cvss":10.1}`},
		{"max-vulnerability", `{"kev":"true"}`},
		{"max-vulnerability", `{"maxFeedAgeHours":0}`},
		{"slsa-provenance", `{}`},
		{"slsa-provenance", `{"builders":["x"],"minLevel":4}`},
		{"source-branch", `{"refs":[]}`},
		{"signed-by", `{"signers":["ci"],"count":0}`},
		{"tests-passed", `{"maxFailed":-1}`},
		{"tests-passed", `{"minPassed":0}`},
		{"static-analysis", `{}`},
		{"quality-gate", `{"verified":1}`},
		{"approved-by", `{"approvers":["owners"]}`},
		{"approved-by", `{"approvers":["OWNERS"],"count":0}`},
		{"owner-set", `{"minOwners":0}`},
		{"soak-time", `{"stage":"QA"}`},
		{"soak-time", `{"stage":"QA","hours":0}`},
		{"no-deprecated", `{"parts":["SBOMS"]}`},
		{"not-end-of-life", `{"specified":null}`},
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(c.parameters))
		if err != nil {
			t.Fatal(err)
		}
		if err := compileSchema(t, template(t, c.template).ParametersSchema).Validate(doc); err == nil {
			t.Errorf("%s takes %s", c.template, c.parameters)
		}
	}
}

// TestTheSPDXListIsThatOfTheParser keeps the list inside license-allowed from growing old unseen.
func TestTheSPDXListIsThatOfTheParser(t *testing.T) {
	module := ast.MustParseModule(string(template(t, "license-allowed").Rego))
	for name, want := range map[string][]string{
		"_spdx_licenses":   append(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()...),
		"_spdx_exceptions": spdxlicenses.GetExceptions(),
	} {
		var got ast.Set
		for _, rule := range module.Rules {
			if rule.Head.Name.Equal(ast.Var(name)) {
				got = rule.Head.Value.Value.(ast.Set)
			}
		}
		wanted := ast.NewSet()
		for _, id := range want {
			wanted.Add(ast.StringTerm(strings.ToLower(id)))
		}
		if got == nil || got.Compare(wanted) != 0 {
			t.Errorf("%s differs: missing %v, too many %v", name, wanted.Diff(got), got.Diff(wanted))
		}
	}
}
