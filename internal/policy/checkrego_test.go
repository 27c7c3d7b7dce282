package policy_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/policies"
)

const passing = `package acme.minimum_test

import data.acme.minimum

test_enough if {
	count(minimum.violations) == 0 with input as {"contents": [{"name": "a"}]} with data.parameters as {"least": 1}
}
`

func (w *world) check(rego, schema string, tests *string) *policy.RegoCheck {
	w.t.Helper()
	in := policy.CheckRegoInput{Rego: rego, Tests: tests}
	if schema != "" {
		in.ParametersSchema = json.RawMessage(schema)
	}
	c, err := w.svc.CheckRego(w.viewer, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestRule22_TheSameCodeChecksAndMakesTemplates: what the check does not call ok is refused, at the part that the kind names, and
// what it calls ok is made.
func TestRule22_TheSameCodeChecksAndMakesTemplates(t *testing.T) {
	described := func(metadata string) string { return "# METADATA\n" + metadata + source }
	cases := map[string]struct {
		rego, schema, tests string
		kind, path, says    string // of the first problem; none for a template
		row, pointer        bool
	}{
		"a template":                 {rego: source, schema: parameters, tests: passing},
		"one in another format":      {rego: strings.Replace(source, ":= ", ":=  ", 1) + "\nx   := 1\n", schema: parameters},
		"text that is no Rego":       {rego: "package a\n\nx := {\n", schema: parameters, kind: "COMPILE", path: "input.rego", row: true},
		"a typo in the input":        {rego: strings.ReplaceAll(source, "input.contents", "input.contnets"), schema: parameters, kind: "COMPILE", path: "input.rego", says: "input has no contnets", row: true},
		"a typo in a parameter":      {rego: strings.ReplaceAll(source, "least", "leest"), schema: parameters, kind: "SHAPE", path: "input.rego", says: "does not declare it: it declares least, level, where", row: true},
		"no sets":                    {rego: "package a\n\nx := 1\n", schema: parameters, kind: "SHAPE", path: "input.rego", says: "(and 1 more problem)", row: true},
		"the clock":                  {rego: source + "\nx := time.now_ns()\n", schema: parameters, kind: "FORBIDDEN_BUILTIN", path: "input.rego", says: "9:6: time.now_ns is not allowed", row: true},
		"METADATA that do not parse": {rego: described("# title: [\n"), schema: parameters, kind: "METADATA", path: "input.rego", row: true},
		"evidence that is no text":   {rego: described("# custom:\n#   evidence: [1]\n"), schema: parameters, kind: "METADATA", path: "input.rego", says: "custom.evidence", row: true},
		"a title that is too long":   {rego: described("# title: " + strings.Repeat("t", 256) + "\n"), schema: parameters, kind: "METADATA", path: "input.rego", says: "at most 255"},
		"a schema that is none":      {rego: source, schema: `{"type":"object","properties":{"least":{"type":"text"}}}`, kind: "PARAMETERS_SCHEMA", path: "input.parametersSchema", says: "/properties/least/type", pointer: true},
		"a test that fails":          {rego: source, schema: parameters, tests: strings.Replace(passing, "== 0 with", "== 7 with", 1), kind: "TEST", path: "input.tests", says: "test_enough", row: true},
		"tests that are none":        {rego: source, schema: parameters, tests: "package a\n\nx := 1\n", kind: "TEST", path: "input.tests", says: "no test ran", row: true},
		"tests that ask the network": {rego: source, schema: parameters, tests: "package a\n\ntest_x if http.send({})\n", kind: "TEST", path: "input.tests", says: "http.send is not allowed", row: true},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				var tests *string
				if c.tests != "" {
					tests = &c.tests
				}
				before := w.rows()
				checked := w.check(c.rego, c.schema, tests)
				if after := w.rows(); before["templates"] != after["templates"] || before["events"] != after["events"] {
					t.Error("looking at it wrote something")
				}
				in := templateInput(name)
				in.Rego, in.ParametersSchema, in.Tests = c.rego, json.RawMessage(c.schema), tests
				if c.kind == "" {
					made, err := w.svc.CreateTemplate(w.admin, in)
					if !checked.Ok || err != nil || made.Tests != c.tests {
						t.Errorf("got %+v, then %v", checked, err)
					}
					return
				}
				first := checked.Problems[0]
				if checked.Ok || first.Kind != c.kind || c.row != (first.Row != nil) || c.pointer != (first.Pointer != nil) {
					t.Errorf("got %+v, %+v", checked, first)
				}
				w.refused(t, fault.BadInput, c.path, c.says, func() error {
					_, err := w.svc.CreateTemplate(w.admin, in)
					return err
				})
			})
		}
	})
}

func TestCheckRegoIsForWhoeverSaysWhoTheyAreAndBounded(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.refused(t, fault.Unauthenticated, "", "", func() error {
		_, err := w.svc.CheckRego(w.nobody, policy.CheckRegoInput{Rego: source})
		return err
	})
	long := "#" + strings.Repeat("x", 64<<10)
	w.refused(t, fault.BadInput, "input.rego", "at most 65536 bytes", func() error {
		_, err := w.svc.CheckRego(w.viewer, policy.CheckRegoInput{Rego: source + long})
		return err
	})
	w.refused(t, fault.BadInput, "input.tests", "at most 65536 bytes", func() error {
		_, err := w.svc.CheckRego(w.viewer, policy.CheckRegoInput{Rego: source, Tests: &long})
		return err
	})
	if c := w.check(source, "", nil); !c.Ok || c.Tests == nil || len(c.Tests) != 0 {
		t.Errorf("without a schema and tests: %+v", c)
	}
	if c := w.check(source, parameters, ptr(passing)); len(c.Tests) != 1 || c.Tests[0].Name != "acme.minimum_test.test_enough" || !c.Tests[0].Passed {
		t.Errorf("got %+v", c)
	}
	// No text is no tests: a template that has none is read with an empty text, and may be sent as it was read.
	if c := w.check(source, parameters, ptr("")); !c.Ok || len(c.Tests) != 0 {
		t.Errorf("empty tests: %+v", c.Problems)
	}
}

// TestRule22_EndlessTestsEndWhileOthersAreAnswered: drafts take turns, rules of gates do not wait for them.
func TestRule22_EndlessTestsEndWhileOthersAreAnswered(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.rules("some")
	endless := "package a\n\ntest_endless if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti * j < 0\n}\n"
	done := make(chan *policy.RegoCheck, 3)
	for range 3 {
		go func() {
			c, err := w.svc.CheckRego(w.viewer, policy.CheckRegoInput{Rego: source, Tests: &endless})
			if err != nil {
				t.Error(err)
			}
			done <- c
		}()
	}
	if _, err := w.svc.Templates(w.viewer, nil, ptr(10), nil, nil); err != nil {
		t.Error(err)
	}
	gone, stop := context.WithTimeout(w.viewer, 50*time.Millisecond)
	defer stop()
	if _, err := w.svc.CheckRego(gone, policy.CheckRegoInput{Rego: source, Tests: &endless}); err == nil {
		t.Error("whoever left was answered")
	}
	for range 3 {
		if c := <-done; c == nil || c.Ok || c.Problems[0].Kind != "TEST" || !strings.Contains(c.Problems[0].Message, "too long") {
			t.Errorf("got %+v", c)
		}
	}
}

func TestTemplateKeepsItsTestsAndWhatItNeeds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		in := templateInput("tested")
		in.Rego = "# METADATA\n# title: T\n# custom:\n#   evidence: [https://slsa.dev/provenance/v1]\n" + source
		first, err := w.svc.CreateTemplate(w.admin, in)
		if err != nil || first.Tests != "" || len(first.Evidence) != 1 || first.Evidence[0] != "https://slsa.dev/provenance/v1" {
			t.Fatal(first, err)
		}
		in.Tests = ptr(passing)
		second, err := w.svc.CreateTemplate(w.admin, in)
		if err != nil || second.Revision != 2 || second.Tests != passing {
			t.Fatal(second, err)
		}
		again, err := w.svc.CreateTemplate(w.admin, in)
		if err != nil || again.ID != second.ID {
			t.Errorf("the same content made revision %d, %v", again.Revision, err)
		}
		if bare := w.template("bare"); bare.Evidence == nil || len(bare.Evidence) != 0 {
			t.Errorf("got %v, want an empty list", bare.Evidence)
		}
	})
}

// TestBuiltinTemplatesAreWhatTheCheckCallsOk: what comes with the program obeys what it asks of others.
func TestBuiltinTemplatesAreWhatTheCheckCallsOk(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	builtin, err := policies.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range builtin {
		if c := w.check(string(b.Rego), string(b.ParametersSchema), nil); !c.Ok {
			for _, p := range c.Problems {
				t.Errorf("%s: %+v", b.Name, p)
			}
		}
	}
}

func TestPoliciesSayInPlainWordsWhatTheyAsk(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		in := templateInput("spoken")
		in.Rego = "# METADATA\n# title: T\n# custom:\n#   sentence: at least {parameters.least} parts, of level {parameters.level}, in {parameters.none}.\n" + source
		if _, err := w.svc.CreateTemplate(w.admin, in); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: "said", Template: "spoken", Parameters: json.RawMessage(`{"least":2}`)}); err != nil {
			t.Fatal(err)
		}
		ids := []int{
			w.policy(policyInput("one", onProjects("payments"), onlyFor("HIGH", "CRITICAL"), at("PROD", gatepolicy.GateKindRELEASE))).ID,
			w.policy(policyInput("two", func(in *policy.CreatePolicyInput) {
				in.Rules, in.Mode, in.Enabled = []string{"some", "said"}, gatepolicy.ModeWARN, false
				in.Scope.Labels = []*labels.Label{{Key: "tier", Value: "1"}}
			})).ID,
			w.policy(policyInput("three", onApplications("checkout", "web"))).ID,
		}
		got, err := w.svc.Sentences(w.admin, ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{
			"Blocks the release gate of PROD for every application of project payments, criticality HIGH or CRITICAL: this rule must hold: minimum (least: 1; level: HIGH).",
			"Switched off; it would be: Warns at the entry gate of QA for every application, label tier=1: every rule must hold: minimum (least: 1; level: HIGH); at least 2 parts, of level HIGH, in any.",
			"Blocks the entry gate of QA for applications checkout and web: this rule must hold: minimum (least: 1; level: HIGH).",
		} {
			if got[ids[i]] != want {
				t.Errorf("got  %s\nwant %s", got[ids[i]], want)
			}
		}
		seen, err := w.svc.Sentences(w.viewer, ids[2:])
		if err != nil || strings.Contains(seen[ids[2]], "web") {
			t.Errorf("whoever does not see shop reads %q, %v", seen[ids[2]], err)
		}
	})
}

// FuzzCheckRego: whatever is sent gets an answer or a fault of its own.
func FuzzCheckRego(f *testing.F) {
	f.Add(source, parameters, passing)
	f.Add("# METADATA\n# title: [\npackage a\n", `{"type":"object"}`, "package a\n")
	f.Add("package a\n", `{"type":"object","properties":{"p":{"$ref":"#/properties/p"}}}`, "")
	w := newWorld(f, testdb.SQLite(f))
	f.Fuzz(func(t *testing.T, rego, schema, tests string) {
		c, err := w.svc.CheckRego(w.viewer, policy.CheckRegoInput{Rego: rego, ParametersSchema: json.RawMessage(schema), Tests: &tests})
		if err != nil {
			if _, ours := err.(*fault.Error); !ours { // it must be one, not hold one
				t.Fatal(err)
			}
			return
		}
		if c.Ok != (len(c.Problems) == 0 || c.Problems[0].Kind == "FORMAT" && len(c.Problems) == 1) {
			t.Errorf("ok is %v with %d problems", c.Ok, len(c.Problems))
		}
	})
}
