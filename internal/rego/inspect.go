package rego

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// Draft is a template that somebody is writing.
type Draft struct {
	Source []byte
	// Tests is a module of unit tests; empty for none. Without a compiling source they do not run.
	Tests []byte
	Reads Reads
}

// Report is everything that is wrong with a draft.
type Report struct {
	Info Info
	// Problems are those of the source, by place. One of CodeFormat keeps nothing from being a template.
	Problems []Problem
	// Formatted is the source as opa fmt writes it; nil when it cannot be parsed.
	Formatted []byte
	// Tests are what the unit tests said, by name.
	Tests []TestResult
	// TestProblems are those of the tests; their places are in the text of the tests.
	TestProblems []Problem
}

// OK tells whether nothing stands in the way of a template.
func (r Report) OK() bool {
	return len(r.TestProblems) == 0 && !slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Code != CodeFormat })
}

// Inspect says everything that is wrong with a draft: what Check says, names that are read and are not there, the format, and
// what its tests say. Looking at the text has the bounds of one evaluation, and so have all tests together; reaching one is a
// problem. The error is that of ctx.
func Inspect(ctx context.Context, d Draft, lim Limits) (Report, error) {
	report, err := within(ctx, lim.orDefault(), func() {}, d.read)
	if ctx.Err() != nil {
		return Report{}, fmt.Errorf("inspect Rego: %w", ctx.Err())
	}
	if err != nil {
		return Report{Problems: []Problem{{1, 1, CodeLimit, "looking at the Rego was given up: " + err.Error()}}}, nil
	}
	if len(d.Tests) == 0 || !report.OK() {
		return report, nil
	}
	report.Tests, report.TestProblems = d.test(ctx, lim)
	if ctx.Err() != nil {
		return Report{}, fmt.Errorf("test Rego: %w", ctx.Err())
	}
	return report, nil
}

// read looks at the text. A panic in OPA is a problem of the text, not the end of the server.
func (d Draft) read() (report Report) {
	defer func() {
		if r := recover(); r != nil {
			report = Report{Problems: []Problem{{1, 1, CodeLimit, fmt.Sprintf("the engine failed: %v", r)}}}
		}
	}()
	report.Info, report.Problems = Check(d.Source)
	if len(report.Problems) == 0 {
		problems, err := checkReads(d.Source, d.Reads)
		if err != nil {
			problems = []Problem{{1, 1, ast.CompileErr, err.Error()}}
		}
		report.Problems = problems
	}
	if len(d.Source) > MaxSource {
		return report
	}
	formatted, err := format.SourceWithOpts(moduleFile, d.Source, format.Opts{RegoVersion: ast.RegoV1, Capabilities: allowed().caps})
	if err != nil {
		return report
	}
	report.Formatted = formatted
	if row := firstDifference(d.Source, formatted); row > 0 {
		report.Problems = sorted(append(report.Problems, Problem{row, 1, CodeFormat, "from this line on it is not as opa fmt writes it"}))
	}
	return report
}

// firstDifference is the number of the first line in which two texts differ; 0 for equal texts.
func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	left, right := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(left), len(right)) {
		if !bytes.Equal(left[i], right[i]) {
			return i + 1
		}
	}
	return min(len(left), len(right))
}

var errNoTest = errors.New("no test ran: the name of a test starts with test_")
