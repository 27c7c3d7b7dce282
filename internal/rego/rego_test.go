package rego_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

const sets = "examined contains \"x\" if true\nviolations contains v if some v in input.wrong\n"

const good = `# METADATA
# title: A title
# description: What it does.
# custom:
#   category: QUALITY
#   remediation: Do it.
#   evidence: Some.
#   controls: [A 1, B 2]
#   parameters: [p]
package acme.rule

examined contains e if some e in input.refs

violations contains {"code": "C", "subject": s, "message": data.parameters.text} if {
	some s in input.bad
}
`

func compile(t testing.TB, source, parameters string) *rego.Policy {
	t.Helper()
	p, err := rego.Compile(context.Background(), []byte(source), []byte(parameters))
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return p
}

func input(t testing.TB, doc string) rego.Input {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &parts); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]rego.Value, len(parts))
	for key, raw := range parts {
		v, err := rego.ParseValue(raw)
		if err != nil {
			t.Fatal(err)
		}
		values[key] = v
	}
	return rego.NewInput(values)
}

func TestCheckReadsTheMetadataOfThePackage(t *testing.T) {
	info, problems := rego.Check([]byte(good))
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	if info.Package != "acme.rule" || info.Title != "A title" || info.Description != "What it does." || info.Category != "QUALITY" ||
		info.Remediation != "Do it." || info.Evidence != "Some." || strings.Join(info.Controls, ",") != "A 1,B 2" || strings.Join(info.Parameters, ",") != "p" {
		t.Errorf("info = %+v", info)
	}
}

func TestCheckAccepts(t *testing.T) {
	for name, source := range map[string]string{
		"a module without metadata":           "package a\n" + sets,
		"an import of input and parameters":   "package a\nimport input.refs\nimport data.parameters\nimport rego.v1\nexamined contains e if some e in refs\nviolations contains parameters.v if true\n",
		"a package with a quoted part":        "package a[\"b-c\"]\n" + sets,
		"a package that is quoted at first":   "package a.b[\"c d\"].e\n" + sets,
		"helpers of its own, called and read": "package a\n" + sets + "_f(x) := x + data.a._n\n_n := 1\nviolations contains {\"m\": _f(1)} if true\n",
		"times from the input":                "package a\n" + sets + "_t := time.parse_rfc3339_ns(input.evaluated_at)\n_w := time.weekday([_t, \"Europe/Berlin\"])\n",
		"input in the place of input":         "package a\n" + sets + "_p if _q with input as {}\n_q if input.x\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, problems := rego.Check([]byte(source)); len(problems) != 0 {
				t.Error(problems)
			}
			if _, err := rego.Compile(t.Context(), []byte(source), []byte("{}")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		source, code, message string
		row                   int
	}{
		"a source that is too long":     {"package a\n" + sets + strings.Repeat("#", rego.MaxSource), rego.CodeTooLarge, "the limit is 65536", 1},
		"nothing":                       {"", "rego_parse_error", "", 1},
		"a syntax error":                {"package a\n" + sets + "x := {\n", "rego_parse_error", "", 5},
		"the syntax of Rego v0":         {"package a\n" + sets + "deny[x] { x := 1 }\n", "rego_parse_error", "", 4},
		"no examined":                   {"package a\nviolations contains 1 if true\n", rego.CodeMissingSet, "must define examined", 1},
		"no violations":                 {"package a\nexamined contains 1 if true\n", rego.CodeMissingSet, "must define violations", 1},
		"a complete rule for a set":     {"package a\nexamined contains 1 if true\nviolations := set()\n", rego.CodeMissingSet, "violations must be a set", 3},
		"a map of sets":                 {"package a\nexamined contains 1 if true\nviolations.x contains 1 if true\n", rego.CodeMissingSet, "violations must be a set", 3},
		"a function for a set":          {"package a\nexamined contains 1 if true\nviolations(x) := x\n", rego.CodeMissingSet, "violations must be a set", 3},
		"another module":                {"package a\nimport data.lib\n" + sets + "_x := lib.y\n", rego.CodeForbiddenImport, "data.lib", 2},
		"other data":                    {"package a\n" + sets + "_x := data.secrets\n", rego.CodeForbiddenData, "data.secrets", 4},
		"all data":                      {"package a\n" + sets + "_x := data\n", rego.CodeForbiddenData, "the whole of data", 4},
		"all data as an argument":       {"package a\n" + sets + "_x := count(data)\n", rego.CodeForbiddenData, "the whole of data", 4},
		"data with a computed name":     {"package a\n" + sets + "_x := data[input.name]\n", rego.CodeForbiddenData, "data[", 4},
		"data inside a reference":       {"package a\n" + sets + "_x := data.parameters[data.other]\n", rego.CodeForbiddenData, "data.other", 4},
		"a package below parameters":    {"package parameters.a\n" + sets, rego.CodePackage, "parameters", 1},
		"the clock, with what to do":    {"package a\n" + sets + "_x := time.now_ns()\n", rego.CodeForbiddenBuiltin, "time.now_ns is not allowed: use input.evaluated_at", 4},
		"the network in a nested call":  {"package a\n" + sets + "_x := [y | y := http.send({}).body][0]\n", rego.CodeForbiddenBuiltin, "http.send is not allowed", 4},
		"the clock in another's place":  {"package a\n" + sets + "_x := 1 if count([]) == 0 with count as time.now_ns\n", rego.CodeForbiddenBuiltin, "time.now_ns", 4},
		"the time zone of the machine":  {"package a\n" + sets + "_x := time.weekday([1, \"Local\"])\n", rego.CodeForbiddenBuiltin, "Local", 4},
		"an unknown function":           {"package a\n" + sets + "_x := nope(1)\n", "rego_type_error", "undefined function nope", 4},
		"an unused variable":            {"package a\n" + sets + "_x if { y := 1 }\n", "rego_compile_error", "assigned var y unused", 4},
		"an unsafe variable":            {"package a\n" + sets + "_x := y if { not y == input.z }\n", "rego_unsafe_var_error", "unsafe", 4},
		"a comparison of unlike types":  {"package a\n" + sets + "_x if \"a\" == 1\n", "rego_type_error", "match error", 4},
		"recursion":                     {"package a\n" + sets + "_f(x) := _f(x)\n", "rego_recursion_error", "recursive", 4},
		"metadata that is not a list":   {"# METADATA\n# custom:\n#   controls: 1\npackage a\n" + sets, rego.CodeMetadata, "custom.controls", 1},
		"metadata that is not a string": {"# METADATA\n# custom:\n#   category: [1]\npackage a\n" + sets, rego.CodeMetadata, "custom.category", 1},
		"bytes that are no text":        {"package a\n" + sets + "_x := \"\xff\"\n", "rego_parse_error", "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := rego.Check([]byte(c.source))
			if len(problems) == 0 {
				t.Fatal("no problem was found")
			}
			found := false
			for _, p := range problems {
				found = found || p.Code == c.code && strings.Contains(p.Message, c.message) && p.Row == c.row
			}
			if !found {
				t.Errorf("want %s %q in row %d, got %v", c.code, c.message, c.row, problems)
			}
			if _, err := rego.Compile(t.Context(), []byte(c.source), []byte("{}")); err == nil {
				t.Error("Compile took it")
			}
		})
	}
}

func TestProblemsAreSortedByPlace(t *testing.T) {
	_, problems := rego.Check([]byte("package a\nimport data.b\n_x := time.now_ns()\n_y := http.send({})\n"))
	for i := range problems[1:] {
		if problems[i].Row > problems[i+1].Row {
			t.Errorf("out of order: %v", problems)
		}
	}
	if len(problems) < 5 {
		t.Errorf("want two sets, an import and two built-ins, got %v", problems)
	}
}

// TestRule22_NoBuiltinThatIsNotDeterministic asks OPA itself for the list, so that an upgrade cannot add one unseen.
func TestRule22_NoBuiltinThatIsNotDeterministic(t *testing.T) {
	also := []string{
		"crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_and_verify_certificates_with_options",
		"json.match_schema", "json.verify_schema", "io.jwt.decode_verify", "io.jwt.encode_sign", "io.jwt.encode_sign_raw",
	}
	seen := 0
	for _, b := range ast.Builtins {
		if !b.Nondeterministic && !slices.Contains(also, b.Name) {
			continue
		}
		seen++
		args := make([]string, b.Decl.Arity())
		for i := range args {
			args[i] = "input.x"
		}
		source := "package a\n" + sets + "_x := " + b.Name + "(" + strings.Join(args, ", ") + ")\n"
		_, problems := rego.Check([]byte(source))
		if len(problems) != 1 || problems[0].Code != rego.CodeForbiddenBuiltin || !strings.HasPrefix(problems[0].Message, b.Name+" is not allowed") {
			t.Errorf("%s: %v", b.Name, problems)
		}
		if bytes.Contains(rego.Capabilities(), []byte(`"name":"`+b.Name+`"`)) {
			t.Errorf("%s is in the capabilities", b.Name)
		}
	}
	if seen < 13 {
		t.Errorf("only %d built-ins were looked at", seen)
	}
}

func TestCapabilitiesAreCanonicalAndReachNoHost(t *testing.T) {
	caps := rego.Capabilities()
	norm, err := canonical.Normalize(caps)
	if err != nil || !bytes.Equal(norm, caps) {
		t.Error("not canonical", err)
	}
	if !bytes.Contains(caps, []byte(`"allow_net":[]`)) {
		t.Error("allow_net must be there and empty: a missing one allows every host")
	}
	if rego.CapabilitiesDigest() != canonical.Digest(caps) {
		t.Error("the digest is of other bytes")
	}
	caps[0] = 'x'
	if rego.Capabilities()[0] == 'x' {
		t.Error("the caller's copy is the engine's")
	}
}

func TestParametersMustBeAnObject(t *testing.T) {
	for _, p := range []string{"", "null", "[]", "1", `{"a":1,"a":2}`, `{} {}`, "{"} {
		if _, err := rego.Compile(t.Context(), []byte(good), []byte(p)); err == nil {
			t.Errorf("%q was taken", p)
		}
	}
}

func TestParseValueRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing": "", "two values": "1 2", "a cut object": "{", "a key twice": `{"a":1,"a":1}`, "bytes that are no text": "\"\xff\"",
		"nesting without end": strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
	} {
		if _, err := rego.ParseValue([]byte(b)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestQueryIsThatOfStockOPA(t *testing.T) {
	for pkg, want := range map[string]string{
		"acme.rule":     `{"examined": data.acme.rule.examined, "violations": data.acme.rule.violations}`,
		`acme["a b"].c`: `{"examined": data.acme["a b"].c.examined, "violations": data.acme["a b"].c.violations}`,
	} {
		p := compile(t, "package "+pkg+"\n"+sets, "{}")
		if p.Query() != want {
			t.Errorf("%s: %s", pkg, p.Query())
		}
	}
}

// stock evaluates the way the opa command does, from text, and prints as --format raw does.
func stock(t testing.TB, source, parameters, in, query string) []byte {
	t.Helper()
	caps, err := ast.LoadCapabilitiesJSON(bytes.NewReader(rego.Capabilities()))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal([]byte(in), &doc); err != nil {
		t.Fatal(err)
	}
	rs, err := oparego.New(oparego.Module("policy.rego", source), oparego.Capabilities(caps), oparego.StrictBuiltinErrors(true),
		oparego.Store(inmem.NewFromReader(strings.NewReader(`{"parameters":`+parameters+`}`))), oparego.Query(query), oparego.Input(doc)).Eval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(rs[0].Expressions[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRule23_RawIsWhatStockOPAPrints(t *testing.T) {
	p := compile(t, good, `{"text":"é & more"}`)
	in := `{"refs":["b","a","a","\u2028"],"bad":["z","<y>"]}`
	got, err := p.Evaluate(t.Context(), input(t, in), rego.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := canonical.Normalize(stock(t, good, `{"text":"é & more"}`, in, p.Query()))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Raw, want) {
		t.Errorf("got  %s\nwant %s", got.Raw, want)
	}
	if strings.Join(got.Examined, "") != "ab\u2028" || len(got.Violations) != 2 || got.Violations[0] != (rego.Violation{Code: "C", Subject: "<y>", Message: "é & more"}) {
		t.Errorf("got %+v", got)
	}

	plain := `{"refs":["b","a"],"bad":["z"]}`
	got, err = p.Evaluate(t.Context(), input(t, plain), rego.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := stock(t, good, `{"text":"é & more"}`, plain, p.Query()); bytes.Contains(want, []byte(`\u`)) != true {
		t.Errorf("the difference that is documented is gone: %s", want)
	}
	q := compile(t, good, `{"text":"plain"}`)
	got, err = q.Evaluate(t.Context(), input(t, plain), rego.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := stock(t, good, `{"text":"plain"}`, plain, q.Query()); !bytes.Equal(got.Raw, want) {
		t.Errorf("without such characters the bytes are the same: got %s, want %s", got.Raw, want)
	}
}
