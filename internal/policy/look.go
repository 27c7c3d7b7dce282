package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/docs"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// maxEvidence is how many predicate types a template may need.
const maxEvidence = 50

// look is what came out of looking at a template that somebody writes. It is the one place that decides what is one.
type look struct {
	problems  []*RegoProblem
	formatted *string
	tests     []*RegoTestResult
	info      rego.Info
	// schema is the canonical JSON of the schema; nil when it is none, or was not given.
	schema []byte
}

// lookAt looks at Rego, the schema of its parameters when there is to be one, and runs its tests. The fault is about what is
// not even looked at.
func (s *Service) lookAt(ctx context.Context, in CheckRegoInput, withSchema bool) (look, error) {
	tests := given(in.Tests, "")
	err := check.First(keepable("input.rego", in.Rego), keepable("input.tests", tests))
	if err == nil && in.Rego == "" {
		err = check.Text("input.rego", in.Rego, 1, rego.MaxSource)
	}
	if err != nil {
		return look{}, err
	}
	leave, err := s.TakeTurn(ctx)
	if err != nil {
		return look{}, err
	}
	defer leave()
	l := look{problems: []*RegoProblem{}, tests: []*RegoTestResult{}}
	draft := rego.Draft{Source: []byte(in.Rego), Tests: []byte(tests), Reads: rego.Reads{Input: docs.PolicyInputSchema}}
	var wrong []Problem
	if withSchema {
		l.schema, draft.Reads.Parameters, wrong = declared(in.ParametersSchema)
	}
	report, err := rego.Inspect(ctx, draft, rego.DefaultLimits())
	if err != nil {
		return look{}, err
	}
	l.take(report, wrong)
	return l, nil
}

// TakeTurn waits until Rego of somebody who writes it may be looked at or evaluated, and returns what ends the turn.
func (s *Service) TakeTurn(ctx context.Context) (leave func(), err error) {
	select {
	case s.looking <- struct{}{}:
		return func() { <-s.looking }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to look at Rego: %w", ctx.Err())
	}
}

// keepable refuses a text that is too long to look at, or that a database cannot keep.
func keepable(path, text string) error {
	if len(text) > rego.MaxSource {
		return fault.At(path, "at most %d bytes are allowed and %d were given; shorten it", rego.MaxSource, len(text))
	}
	return check.Text(path, text, 0, rego.MaxSource)
}

// declared reads a schema of parameters: its canonical JSON and the names it declares, or what is wrong with it.
func declared(raw []byte) (text []byte, names []string, wrong []Problem) {
	text, err := readSchema(raw)
	if err != nil {
		return nil, nil, problemsIn(err)
	}
	schema, err := compileStored(string(text))
	if err != nil {
		return nil, nil, problemsIn(err)
	}
	// Never nil: a schema without properties declares none, which is another thing than not knowing.
	return text, slices.AppendSeq([]string{}, maps.Keys(schema.Properties)), nil
}

// take puts what was found in the order of the text: the source, then the schema, then the tests.
func (l *look) take(report rego.Report, schema []Problem) {
	l.info = report.Info
	for _, p := range report.Problems {
		l.problems = append(l.problems, placed(kindOf(p.Code), p))
	}
	for _, err := range metadataFaults(report.Info) {
		l.problems = append(l.problems, &RegoProblem{Kind: kindMetadata, Message: err.Error(), code: rego.CodeMetadata})
	}
	for _, p := range schema {
		l.problems = append(l.problems, &RegoProblem{Kind: kindSchema, Message: p.Message, Pointer: &p.Pointer})
	}
	if report.Formatted != nil {
		text := string(report.Formatted)
		l.formatted = &text
	}
	for _, t := range report.Tests {
		l.tests = append(l.tests, &RegoTestResult{Name: t.Name, Passed: t.Passed, Message: t.Message})
	}
	for _, p := range report.TestProblems {
		l.problems = append(l.problems, placed(kindTest, p))
	}
}

func placed(kind string, p rego.Problem) *RegoProblem {
	return &RegoProblem{Kind: kind, Message: p.Message, Row: &p.Row, Column: &p.Col, code: p.Code}
}

// kindOf sorts the engine's codes.
func kindOf(code string) string {
	switch code {
	case rego.CodeForbiddenBuiltin:
		return kindForbidden
	case rego.CodeForbiddenImport, rego.CodeForbiddenData, rego.CodePackage, rego.CodeMissingSet, rego.CodeUnknownParameter:
		return kindShape
	case rego.CodeMetadata:
		return kindMetadata
	case rego.CodeFormat:
		return kindFormat
	}
	return kindCompile
}

// metadataFaults holds the texts of the METADATA against the limits of a template.
func metadataFaults(info rego.Info) []error {
	found := []error{
		check.Line("title", info.Title, 0, MaxTitle),
		check.Text("description", info.Description, 0, MaxDescription),
		check.Text("custom.remediation", info.Remediation, 0, MaxRemediation),
		check.Line("custom.sentence", info.Sentence, 0, MaxRemediation),
		checkControls("custom.controls", info.Controls),
		check.List("custom.evidence", len(info.Predicates), maxEvidence),
	}
	for i, p := range info.Predicates {
		found = append(found, check.Name(fmt.Sprintf("custom.evidence.%d", i), p))
	}
	return slices.DeleteFunc(found, func(err error) bool { return err == nil })
}
