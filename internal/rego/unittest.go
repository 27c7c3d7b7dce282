package rego

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
)

// testFile is the name that the tests have in OPA's locations.
const testFile = "policy_test.rego"

// TestResult is what a unit test said.
type TestResult struct {
	Name   string // with its package, e.g. "acme.contents_test.test_empty"
	Passed bool
	// Message says why not; empty for one that passed.
	Message string
}

// tested is what became of a run.
type tested struct {
	results  []TestResult
	problems []Problem
}

// test runs the tests, all of them within one bound.
func (d Draft) test(ctx context.Context, lim Limits) ([]TestResult, []Problem) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	t, err := within(ctx, lim.orDefault(), stop, func() tested { return d.run(running) })
	if err != nil {
		return nil, []Problem{{1, 1, CodeLimit, "the tests were given up: " + err.Error()}}
	}
	return t.results, t.problems
}

func (d Draft) run(ctx context.Context) (t tested) {
	defer func() {
		if r := recover(); r != nil {
			t = tested{problems: []Problem{{1, 1, CodeTest, fmt.Sprintf("the engine failed: %v", r)}}}
		}
	}()
	if len(d.Tests) > MaxSource {
		return tested{problems: []Problem{{1, 1, CodeTooLarge, fmt.Sprintf("the tests have %d bytes, the limit is %d", len(d.Tests), MaxSource)}}}
	}
	tests, problems := parse(testFile, d.Tests)
	if tests == nil {
		return tested{problems: problems}
	}
	problems = append(problems, checkBuiltins(tests, allowed().refused)...)
	module, err := ast.ParseModuleWithOpts(moduleFile, string(d.Source), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: allowed().caps})
	if err != nil {
		return tested{problems: problemsOf(err)}
	}
	modules := map[string]*ast.Module{moduleFile: module, testFile: tests}
	compiler := func() *ast.Compiler {
		return ast.NewCompiler().WithCapabilities(allowed().caps).WithDefaultRegoVersion(ast.RegoV1).SetErrorLimit(maxErrors)
	}
	// Once to say what is wrong, each with its place; the runner says it in one text.
	once := compiler()
	once.Compile(map[string]*ast.Module{moduleFile: module.Copy(), testFile: tests.Copy()})
	if once.Failed() {
		problems = append(problems, withoutRefused(problemsOf(once.Errors), allowed().refused)...)
	}
	if len(problems) > 0 {
		return tested{problems: sorted(problems)}
	}
	results, err := tester.NewRunner().SetCompiler(compiler()).SetDefaultRegoVersion(ast.RegoV1).RaiseBuiltinErrors(true).
		SetParallel(1).SetModules(modules).RunTests(ctx, nil)
	if err != nil {
		return tested{problems: []Problem{{1, 1, CodeTest, err.Error()}}}
	}
	return gather(results)
}

// gather reads what the runner says until it has nothing more to say.
func gather(results <-chan *tester.Result) (t tested) {
	for r := range results {
		// The package comes with the root that OPA keeps it below.
		result := TestResult{Name: strings.TrimPrefix(r.Package+"."+r.Name, "data."), Passed: r.Pass()}
		switch {
		case r.Error != nil:
			result.Message = r.Error.Error()
		case r.Skip:
			result.Message = "it was skipped: its name starts with " + tester.SkipTestPrefix
		case r.Fail:
			result.Message = failed(r)
		}
		t.results = append(t.results, result)
		if !result.Passed {
			t.problems = append(t.problems, at(r.Location, CodeTest, result.Name+": "+result.Message))
		}
	}
	if len(t.results) == 0 {
		t.problems = append(t.problems, Problem{1, 1, CodeTest, errNoTest.Error()})
	}
	slices.SortFunc(t.results, func(a, b TestResult) int { return cmp.Compare(a.Name, b.Name) })
	t.problems = sorted(t.problems)
	return t
}

// failed says where a test failed, as far as the runner knows.
func failed(r *tester.Result) string {
	for names, sub := range r.SubResults.Iter {
		if sub.Fail && len(sub.SubResults) == 0 {
			return "it failed in the case " + strings.Join(names, ", ")
		}
	}
	if r.FailedAt != nil && r.FailedAt.Location != nil {
		return fmt.Sprintf("it failed in line %d: %s", r.FailedAt.Location.Row, r.FailedAt.Location.Text)
	}
	return "it failed"
}
