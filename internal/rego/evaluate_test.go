package rego_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/plimsoll/plimsoll/internal/rego"
)

// TestRule19_NothingButACompleteAnswer: whatever is not exactly a result is an error.
func TestRule19_NothingButACompleteAnswer(t *testing.T) {
	wrong := func(v string) string {
		return "package a\nexamined contains \"x\" if true\nviolations contains " + v + " if true\n"
	}
	for name, source := range map[string]string{
		"a built-in error in a condition":   wrong(`{"code": "C", "subject": "s", "message": "m"}`) + "violations contains \"x\" if to_number(\"x\") > 1\n",
		"a date that is none":               wrong(`{"code": "C", "subject": "s", "message": "m"}`) + "examined contains \"y\" if time.parse_rfc3339_ns(input.bad) > 0\n",
		"a division by zero":                "package a\nexamined contains \"x\" if true\nviolations contains \"x\" if 1 / count(input.none) > 1\n",
		"an examined that is a number":      "package a\nexamined contains 1 if true\nviolations contains 1 if false\n",
		"an examined that is empty":         "package a\nexamined contains \"\" if true\nviolations contains 1 if false\n",
		"an examined that is too long":      "package a\nexamined contains concat(\"\", [\"x\" | some _ in numbers.range(0, 4096)]) if true\nviolations contains 1 if false\n",
		"more examined than are kept":       "package a\nexamined contains sprintf(\"%d\", [i]) if some i in numbers.range(0, 100000)\nviolations contains 1 if false\n",
		"a violation that is a string":      wrong(`"bad"`),
		"a violation without a code":        wrong(`{"subject": "s", "message": "m"}`),
		"a violation without a subject":     wrong(`{"code": "C", "message": "m"}`),
		"a violation without a message":     wrong(`{"code": "C", "subject": "s"}`),
		"a code that is null":               wrong(`{"code": null, "subject": "s", "message": "m"}`),
		"a message that is a list":          wrong(`{"code": "C", "subject": "s", "message": ["m"]}`),
		"an empty message":                  wrong(`{"code": "C", "subject": "s", "message": ""}`),
		"a remediation that is null":        wrong(`{"code": "C", "subject": "s", "message": "m", "remediation": null}`),
		"a field that is misspelt":          wrong(`{"code": "C", "subject": "s", "message": "m", "remedation": "r"}`),
		"a code that is too long":           wrong(`{"code": concat("", ["x" | some _ in numbers.range(0, 128)]), "subject": "s", "message": "m"}`),
		"text that is not text":             wrong(`{"code": "C", "subject": "s", "message": base64.decode("/w==")}`),
		"more violations than anyone reads": "package a\nexamined contains \"x\" if true\nviolations contains {\"code\": \"C\", \"subject\": sprintf(\"%d\", [i]), \"message\": \"m\"} if some i in numbers.range(0, 1000)\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, source, "{}")
			if r, err := p.Evaluate(t.Context(), input(t, `{"none":[],"bad":"yesterday"}`), rego.Limits{Time: time.Minute}); err == nil {
				t.Errorf("the answer was %s", r.Raw)
			}
		})
	}
}

func TestAThousandViolationsAreAnAnswer(t *testing.T) {
	p := compile(t, "package a\nexamined contains \"x\" if true\nviolations contains {\"code\": \"C\", \"subject\": sprintf(\"%d\", [i]), \"message\": \"m\"} if some i in numbers.range(1, 1000)\n", "{}")
	r, err := p.Evaluate(t.Context(), input(t, "{}"), rego.Limits{Time: time.Minute})
	if err != nil || len(r.Violations) != rego.MaxViolations {
		t.Errorf("%d violations, %v", len(r.Violations), err)
	}
}

func TestAMissingInputIsAnError(t *testing.T) {
	if _, err := compile(t, good, "{}").Evaluate(t.Context(), rego.Input{}, rego.Limits{}); err == nil {
		t.Error("evaluated without input")
	}
}

const looping = `package a
examined contains "x" if true
violations contains "x" if {
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i * j == -1
}
`

const exploding = `package a
examined contains "x" if true
violations contains "x" if count([[i, j, k] |
	some i in numbers.range(1, 10000)
	some j in numbers.range(1, 10000)
	some k in numbers.range(1, 10000)
]) == 0
`

func TestRule22_AnEvaluationHasATimeBound(t *testing.T) {
	_, err := compile(t, looping, "{}").Evaluate(t.Context(), input(t, "{}"), rego.Limits{Time: 50 * time.Millisecond})
	if !errors.Is(err, rego.ErrTime) {
		t.Errorf("err = %v", err)
	}
}

func TestRule22_AnEvaluationHasAMemoryBound(t *testing.T) {
	for name, source := range map[string]string{
		"a comprehension that explodes": exploding,
		"a range that explodes":         "package a\nexamined contains \"x\" if count(numbers.range(1, 1000000000)) > 1\nviolations contains 1 if false\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compile(t, source, "{}").Evaluate(t.Context(), input(t, "{}"), rego.Limits{Time: 10 * time.Minute, Memory: 32 << 20})
			if !errors.Is(err, rego.ErrMemory) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestGarbageIsNotMemory(t *testing.T) {
	p := compile(t, "package a\nexamined contains \"x\" if true\nviolations contains \"x\" if {\n\tsome i in numbers.range(1, 2000)\n\tcount(numbers.range(i, i + 1000)) == 0\n}\n", "{}")
	if _, err := p.Evaluate(t.Context(), input(t, "{}"), rego.Limits{Time: time.Minute, Memory: 32 << 20}); err != nil {
		t.Error(err)
	}
}

func TestACallerWhoLeavesStopsTheEvaluation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := compile(t, looping, "{}")
	done := make(chan error)
	go func() {
		_, err := p.Evaluate(ctx, input(t, "{}"), rego.Limits{Time: 10 * time.Minute})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if _, err := p.Evaluate(ctx, input(t, "{}"), rego.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: err = %v", err)
	}
}

func TestRule22_TheSameInputGivesTheSameBytes(t *testing.T) {
	p := compile(t, good, `{"text":"t"}`)
	v, err := rego.ParseValue([]byte(`["d","a","c","b"]`))
	if err != nil {
		t.Fatal(err)
	}
	in := rego.NewInput(map[string]rego.Value{"refs": v, "bad": v})
	first, err := p.Evaluate(t.Context(), in, rego.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			r, err := p.Evaluate(context.Background(), in, rego.Limits{Time: time.Minute})
			if err != nil || !bytes.Equal(r.Raw, first.Raw) {
				t.Errorf("got %s, %v, want %s", r.Raw, err, first.Raw)
			}
		})
	}
	wg.Wait()
}

func FuzzCheck(f *testing.F) {
	templates, err := filepath.Glob("../../policies/*/*/*.rego")
	if err != nil || len(templates) == 0 {
		f.Fatal("the built-in templates are not where they were", err)
	}
	for _, path := range templates {
		source, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
		f.Add(source[:len(source)/2])
	}
	for _, s := range []string{
		good, looping, exploding, "", "package a", "package a\n" + sets, "package a\nimport data.x\n", "package a\nx := data\n",
		"package a\nexamined contains x if { x := time.now_ns() }", "package a[\"\"]\n" + sets, "# METADATA\n# custom: [\npackage a\n" + sets,
		"package a\nviolations[x] { x := 1 }", "package a\nx := `" + strings.Repeat("(", 100), "package data.parameters\n" + sets,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		_, problems := rego.Check(source)
		for _, p := range problems {
			if p.Row < 1 || p.Col < 1 || p.Code == "" || p.Message == "" {
				t.Errorf("a problem without place or reason: %+v", p)
			}
		}
		_, err := rego.Compile(context.Background(), source, []byte("{}"))
		if (err == nil) != (len(problems) == 0) {
			t.Errorf("Check found %v, Compile %v", problems, err)
		}
	})
}

func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"{}", "[1,2]", `"a"`, "null", "1e400", `{"a":{"a":[true]}}`, "{", "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := rego.ParseValue(b)
		if err != nil {
			return
		}
		rego.NewInput(map[string]rego.Value{"x": v, "y": {}})
	})
}

const benchRule = `package bench
_by_digest := {d: s.digest | some s in input.sboms; some d in s.subjects}
examined contains c.purl if some c in input.components
violations contains {"code": "C", "subject": c.purl, "message": "m"} if {
	some c in input.components
	not _allowed(c)
}
_allowed(c) if {
	c.license in data.parameters.allow
	_by_digest[c.sbom]
}
`

func benchInput() string {
	components := make([]string, 500)
	for i := range components {
		components[i] = fmt.Sprintf(`{"purl":"pkg:npm/p%d@1.0.0","license":"MIT","sbom":"sha256:a"}`, i)
	}
	return `{"sboms":[{"digest":"sha256:b","subjects":["sha256:a"]}],"components":[` + strings.Join(components, ",") + `]}`
}

func BenchmarkEvaluate(b *testing.B) {
	doc := benchInput()
	b.Run("engine", func(b *testing.B) {
		p := compile(b, benchRule, `{"allow":["MIT"]}`)
		in := input(b, doc)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Evaluate(context.Background(), in, rego.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw OPA", func(b *testing.B) {
		source := strings.ReplaceAll(benchRule, "data.parameters.allow", `["MIT"]`)
		q, err := oparego.New(oparego.Module("p.rego", source), oparego.Query(`{"examined": data.bench.examined, "violations": data.bench.violations}`)).PrepareForEval(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		in := ast.MustParseTerm(doc).Value
		b.ReportAllocs()
		for b.Loop() {
			if _, err := q.Eval(context.Background(), oparego.EvalParsedInput(in)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNewInput(b *testing.B) {
	v, err := rego.ParseValue([]byte(`[` + benchInput() + `]`))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		rego.NewInput(map[string]rego.Value{"schema": v, "components": v, "sboms": v, "evidence": v})
	}
}
