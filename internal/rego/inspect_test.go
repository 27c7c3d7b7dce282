package rego_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/docs"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// template is a module with the sets and more lines.
func template(more string) string {
	return "package acme.rule\n\nexamined contains \"x\"\n\nviolations contains v if {\n\tinput.gate.production\n\tv := {\"code\": \"A\", \"subject\": \"b\", \"message\": \"c\"}\n}\n" + more
}

func inspect(t testing.TB, d rego.Draft) rego.Report {
	t.Helper()
	report, err := rego.Inspect(t.Context(), d, rego.Limits{Time: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRule19_NamesThatAreNotThereAreFound(t *testing.T) {
	reads := rego.Reads{Input: docs.PolicyInputSchema, Parameters: []string{"least", "words"}}
	for name, c := range map[string]struct{ more, code, says string }{
		"a part of the input":                {"\na if input.evidnce[_]\n", rego.CodeUnknownInput, "input has no evidnce"},
		"a part of the input, in brackets":   {"\na if input[\"evidnce\"][_]\n", rego.CodeUnknownInput, "input has no evidnce"},
		"a part of the input, by object.get": {"\na if count(object.get(input, \"evidnce\", [])) == 0\n", rego.CodeUnknownInput, "evidnce"},
		"a member of an element":             {"\na if input.evidence[_].predicate_typ == \"x\"\n", rego.CodeUnknownInput, "has no predicate_typ"},
		"a member of a local name":           {"\na if {\n\tsome e in input.evidence\n\te.verfied\n}\n", rego.CodeUnknownInput, "e has no verfied"},
		"a member behind a negation":         {"\na if not input.gate.prodution\n", rego.CodeUnknownInput, "has no prodution"},
		"a member in a comprehension":        {"\na := [e.digst | some e in input.evidence]\n", rego.CodeUnknownInput, "has no digst"},
		"a member of a view":                 {"\na if input.evidence[_].view.tests.faild > 0\n", rego.CodeUnknownInput, "has no faild"},
		"a view":                             {"\na if {\n\tsome e in input.evidence\n\te.view.test.failed > 0\n}\n", rego.CodeUnknownInput, "has no test"},
		"a member of an element of a view":   {"\na if input.evidence[_].view.vex.statements[_].state == \"fixed\"\n", rego.CodeUnknownInput, "has no state"},
		"a member within every":              {"\na if {\n\tevery c in input.components {\n\t\tc.licence == \"x\"\n\t}\n}\n", rego.CodeUnknownInput, "c has no licence"},
		"a member within every in every":     {"\na if {\n\tevery _, e in input.evidence {\n\t\tevery k, s in e.subjects {\n\t\t\tk >= 0\n\t\t\ts == e.digst\n\t\t}\n\t}\n}\n", rego.CodeUnknownInput, "e has no digst"},
		"a part of a part, by object.get":    {"\na if object.get(input.application, \"criticalty\", \"\") == \"\"\n", rego.CodeUnknownInput, "input.application has no \"criticalty\""},
		"a path, by object.get":              {"\na if object.get(input, [\"application\", \"criticalty\"], \"\") == \"\"\n", rego.CodeUnknownInput, "input.application has no \"criticalty\""},
		"an element's, by object.get":        {"\na if object.get(input.evidence[_], \"sighner\", \"\") == \"\"\n", rego.CodeUnknownInput, "sighner"},
		"a parameter":                        {"\na if data.parameters.leest > 1\n", rego.CodeUnknownParameter, "data.parameters.leest is read"},
		"a parameter by object.get":          {"\na if object.get(data.parameters, \"leest\", 1) > 1\n", rego.CodeUnknownParameter, "leest"},
	} {
		t.Run(name, func(t *testing.T) {
			report := inspect(t, rego.Draft{Source: []byte(template(c.more)), Reads: reads})
			found := slices.ContainsFunc(report.Problems, func(p rego.Problem) bool {
				return p.Code == c.code && strings.Contains(p.Message, c.says) && p.Row >= 10
			})
			if report.OK() || !found {
				t.Errorf("got %v", report.Problems)
			}
		})
	}
	imported := strings.Replace(template("\na if p.leest\n"), "acme.rule\n", "acme.rule\n\nimport data.parameters as p\n", 1)
	if report := inspect(t, rego.Draft{Source: []byte(imported), Reads: reads}); report.OK() || report.Problems[0].Code != rego.CodeUnknownParameter {
		t.Errorf("an import hid a parameter: %v", report.Problems)
	}
	schema := strings.Replace(template("\na if input.evidnce\n"), "package", "# METADATA\n# schemas:\n#   - input: {\"type\": \"object\"}\npackage", 1)
	if report := inspect(t, rego.Draft{Source: []byte(schema), Reads: reads}); report.OK() {
		t.Error("a schema of the template's own hid a name")
	}
	none := rego.Reads{Parameters: []string{}}
	if report := inspect(t, rego.Draft{Source: []byte(template("\na if data.parameters.least\n")), Reads: none}); report.OK() {
		t.Error("a parameter passed that a schema without any declares")
	}
}

func TestWhatIsThereIsNoProblem(t *testing.T) {
	fine := template(`
a if input.version.tag == null

b if data.parameters.least > 1

c if {
	some key, values in input.application.labels
	key == "tier"
	count(values) > count(data.parameters)
}

d := object.get(input, "index_evidence", [])

e[name] := input[name] if some name in data.parameters.words

f if input.evidence[_].predicate.buildType == "x"

g if input.evidence[_].view == null

h if {
	some e in input.evidence
	is_object(e.view.tests)
	object.get(e.view.tests, "coverage", null) == null
	object.get(e.predicate, ["a", "b"], 0) == 0
	object.get(e, ["predicate", "a"], 0) == 0
	object.get(input.application.labels, "tier", []) == []
	object.get(input.evidence[0], ["view", "tests", "failures", 0, "name"], "") == ""
	e.view.tests.coverage != null
	e.view.static_analysis.findings != null
}

i if {
	every c in input.components {
		c.version != null
		every _, l in c.licenses {
			l != data.parameters.words
		}
	}
	every k, _ in input.application.labels {
		k != "x"
	}
	not input.gate.production
}
`)
	report := inspect(t, rego.Draft{Source: []byte(fine), Reads: rego.Reads{Input: docs.PolicyInputSchema, Parameters: []string{"least", "words"}}})
	if len(report.Problems) > 0 || string(report.Formatted) != fine {
		t.Errorf("got %v", report.Problems)
	}
}

func TestEverythingThatIsWrongIsSaid(t *testing.T) {
	source := "# METADATA\n# title: [\npackage parameters.x\n\nimport data.other\n\nexamined := 1\n\na := time.now_ns()\n\nb if { http.send({}) }\n"
	report := inspect(t, rego.Draft{Source: []byte(source)})
	var codes []string
	for _, p := range report.Problems {
		codes = append(codes, p.Code)
	}
	got := strings.Join(codes, " ")
	for _, want := range []string{rego.CodeMetadata, rego.CodePackage, rego.CodeForbiddenImport, rego.CodeMissingSet, rego.CodeForbiddenBuiltin} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not among %s", want, got)
		}
	}
	if strings.Count(got, rego.CodeForbiddenBuiltin) != 2 {
		t.Errorf("want both built-ins, got %v", report.Problems)
	}
	two := inspect(t, rego.Draft{Source: []byte("package a\n\nx := {\n\ny if { 1 == }\n\nz := [\n\nw := 1\n")})
	if len(two.Problems) < 3 || two.Formatted != nil {
		t.Errorf("want every syntax error, got %v", two.Problems)
	}
}

func TestTheFormatIsSaidAndKeepsNothingFromBeingATemplate(t *testing.T) {
	report := inspect(t, rego.Draft{Source: []byte(template("\na   := 1\n"))})
	if !report.OK() || len(report.Problems) != 1 || report.Problems[0].Code != rego.CodeFormat || report.Problems[0].Row != 10 {
		t.Errorf("got %v", report.Problems)
	}
	if want := template("\na := 1\n"); string(report.Formatted) != want {
		t.Errorf("got %s", report.Formatted)
	}
}

func TestUnitTestsAreRun(t *testing.T) {
	tests := "package acme.rule_test\n\nimport data.acme.rule\n\ntest_open if {\n\tcount(rule.violations) == 0 with input as {\"gate\": {\"production\": false}}\n}\n\n" +
		"test_closed if {\n\tcount(rule.violations) == 0 with input as {\"gate\": {\"production\": true}}\n}\n\ntodo_test_later if true\n\ntest_breaks if 1 / (count(rule.examined) - 1) > 0\n"
	report := inspect(t, rego.Draft{Source: []byte(template("")), Tests: []byte(tests)})
	got := map[string]bool{}
	for _, r := range report.Tests {
		got[r.Name] = r.Passed
		if r.Passed == (r.Message != "") {
			t.Errorf("got %+v", r)
		}
	}
	if len(got) != 4 || !got["acme.rule_test.test_open"] || len(report.TestProblems) != 3 || report.OK() {
		t.Errorf("got %v, %v", report.Tests, report.TestProblems)
	}
	for name, c := range map[string]struct{ tests, says string }{
		"no test":             {"package a\n\nx := 1\n", "no test ran"},
		"no Rego":             {"package a\n\nx := {\n", ""},
		"an unknown function": {"package a\n\ntest_x if nope(1)\n", "undefined function nope"},
		"the clock":           {"package a\n\ntest_x if time.now_ns() > 0\n", "time.now_ns is not allowed"},
		"the network":         {"package a\n\ntest_x if http.send({\"url\": \"http://a\"}).status == 1\n", "http.send is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			report := inspect(t, rego.Draft{Source: []byte(template("")), Tests: []byte(c.tests)})
			if report.OK() || !strings.Contains(report.TestProblems[0].Message, c.says) {
				t.Errorf("got %v", report.TestProblems)
			}
		})
	}
}

func TestRule22_TestsEndWithinTheirLimits(t *testing.T) {
	endless := "package a\n\ntest_endless if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti * j < 0\n}\n"
	start := time.Now()
	report, err := rego.Inspect(t.Context(), rego.Draft{Source: []byte(template("")), Tests: []byte(endless)}, rego.Limits{Time: 500 * time.Millisecond})
	if err != nil || report.OK() || report.TestProblems[0].Code != rego.CodeLimit || time.Since(start) > 10*time.Second {
		t.Errorf("got %v, %v after %v", report.TestProblems, err, time.Since(start))
	}
	large := "package a\n\ntest_large if {\n\tx := [s | some i in numbers.range(1, 2000000); s := sprintf(\"%d-%d\", [i, i])]\n\tcount(x) == 1\n}\n"
	report, err = rego.Inspect(t.Context(), rego.Draft{Source: []byte(template("")), Tests: []byte(large)}, rego.Limits{Time: 30 * time.Second, Memory: 32 << 20})
	if err != nil || report.OK() || !strings.Contains(report.TestProblems[0].Message, rego.ErrMemory.Error()) {
		t.Errorf("got %v, %v", report.TestProblems, err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := rego.Inspect(gone, rego.Draft{Source: []byte(template(""))}, rego.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever left got %v", err)
	}
}

func TestEvidenceInTheMetadataIsAListOrASentence(t *testing.T) {
	about := func(custom string) string {
		return "# METADATA\n# title: T\n# custom:\n#   sentence: at least {parameters.least}\n#   evidence: " + custom + "\n" + template("")
	}
	if info := rego.Describe([]byte(about("[a, b]"))); strings.Join(info.Predicates, " ") != "a b" || info.Sentence != "at least {parameters.least}" {
		t.Errorf("got %+v", info)
	}
	if info := rego.Describe([]byte(about("what is needed"))); info.Evidence != "what is needed" || len(info.Predicates) != 0 {
		t.Errorf("got %+v", info)
	}
	for _, wrong := range []string{"1", "{a: 1}", "[1]"} {
		if _, problems := rego.Check([]byte(about(wrong))); len(problems) != 1 || problems[0].Code != rego.CodeMetadata {
			t.Errorf("%s gave %v", wrong, problems)
		}
	}
}

// FuzzInspect: whatever is sent gives an answer, and what is called a template compiles.
func FuzzInspect(f *testing.F) {
	f.Add(template(""), "package a\n\ntest_x if true\n")
	f.Add("# METADATA\n# title: [\npackage a\n", "")
	f.Add("package a\n\nx := {\n", "package")
	if source, err := os.ReadFile("../../policies/bom/sbom-complete/sbom-complete.rego"); err == nil {
		f.Add(string(source), "")
	}
	f.Fuzz(func(t *testing.T, source, tests string) {
		d := rego.Draft{Source: []byte(source), Tests: []byte(tests), Reads: rego.Reads{Input: docs.PolicyInputSchema, Parameters: []string{"least"}}}
		report, err := rego.Inspect(t.Context(), d, rego.Limits{Time: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(report.Problems, report.TestProblems...) {
			if p.Row < 1 || p.Col < 1 || p.Code == "" || p.Message == "" {
				t.Errorf("a problem without a place or a reason: %+v", p)
			}
		}
		if report.OK() {
			if _, err := rego.Compile(t.Context(), d.Source, []byte(`{}`)); err != nil {
				t.Errorf("it was called a template: %v", err)
			}
		}
	})
}
