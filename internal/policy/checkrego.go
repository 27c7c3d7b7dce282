package policy

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// CheckRegoInput is Rego to look at.
type CheckRegoInput struct {
	Rego             string
	ParametersSchema json.RawMessage
	Tests            *string
}

// RegoCheck is what is wrong with Rego.
type RegoCheck struct {
	Ok        bool
	Problems  []*RegoProblem
	Formatted *string
	Tests     []*RegoTestResult
}

// RegoProblem is something that is wrong with Rego.
type RegoProblem struct {
	Kind, Message string
	// Row and Column count from 1; those of a TEST are in the text of the tests.
	Row, Column *int
	// Pointer is a JSON pointer (RFC 6901).
	Pointer *string

	code string // the engine's
}

// RegoTestResult is what a unit test said.
type RegoTestResult struct {
	Name    string
	Passed  bool
	Message string
}

// The kinds of problems.
const (
	kindCompile   = "COMPILE"
	kindForbidden = "FORBIDDEN_BUILTIN"
	kindShape     = "SHAPE"
	kindMetadata  = "METADATA"
	kindFormat    = "FORMAT"
	kindSchema    = "PARAMETERS_SCHEMA"
	kindTest      = "TEST"
)

// CheckRego looks at Rego as CreateTemplate does, and says everything that is wrong with it: the same code decides. Whoever has
// said who they are may ask; nothing is read and nothing is written.
//
// Faults: BAD_USER_INPUT at what is longer than it may be, or holds what no database can keep.
func (s *Service) CheckRego(ctx context.Context, in CheckRegoInput) (*RegoCheck, error) {
	if _, err := auth.From(ctx); err != nil {
		return nil, err
	}
	l, err := s.lookAt(ctx, in, in.ParametersSchema != nil)
	if err != nil {
		return nil, err
	}
	return &RegoCheck{Ok: len(l.blocking()) == 0, Problems: l.problems, Formatted: l.formatted, Tests: l.tests}, nil
}

// Draft compiles Rego of a template that is not there yet, with parameters as a rule would give them, and says what its METADATA
// says. It is not kept.
//
// Faults: BAD_USER_INPUT at "input.rego", with its problems, and at "input.parameters".
func (s *Service) Draft(ctx context.Context, source string, parameters json.RawMessage) (*rego.Policy, rego.Info, error) {
	l, err := s.lookAt(ctx, CheckRegoInput{Rego: source}, false)
	if err != nil {
		return nil, rego.Info{}, err
	}
	if err := l.refusal(); err != nil {
		return nil, rego.Info{}, err
	}
	if len(parameters) > MaxParameterDoc {
		return nil, rego.Info{}, fault.At("input.parameters", "the parameters have %d bytes, the limit is %d", len(parameters), MaxParameterDoc)
	}
	p, err := rego.Compile(ctx, []byte(source), parameters)
	if err != nil {
		// The source compiled a moment ago: it is the parameters.
		return nil, rego.Info{}, fault.At("input.parameters", "%v; send {} for none", err)
	}
	return p, l.info, nil
}

// refusal is the fault of what is no template: nil when nothing but the format is wrong.
func (l look) refusal() error {
	blocking := l.blocking()
	if len(blocking) == 0 {
		return nil
	}
	first := blocking[0]
	message := first.Message
	switch {
	case first.Row != nil:
		message = fmt.Sprintf("%d:%d: %s", *first.Row, *first.Column, message)
	case first.Pointer != nil:
		message = Problem{*first.Pointer, message}.Error()
	}
	switch more := len(blocking) - 1; more {
	case 0:
	case 1:
		message += " (and 1 more problem)"
	default:
		message += fmt.Sprintf(" (and %d more problems)", more)
	}
	path := "input.rego"
	switch first.Kind {
	case kindSchema:
		path = "input.parametersSchema"
	case kindTest:
		path = "input.tests"
	}
	shown := make([]map[string]any, min(len(blocking), maxProblems))
	for i := range shown {
		shown[i] = blocking[i].details()
	}
	return fault.At(path, "%s", message).With("problems", shown)
}

func (p *RegoProblem) details() map[string]any {
	d := map[string]any{"kind": p.Kind, "message": p.Message}
	if p.Row != nil {
		d["row"], d["col"] = *p.Row, *p.Column
	}
	if p.code != "" {
		d["code"] = p.code
	}
	if p.Pointer != nil {
		d["pointer"] = *p.Pointer
	}
	return d
}

// blocking are the problems that keep it from being a template.
func (l look) blocking() []*RegoProblem {
	var blocking []*RegoProblem
	for _, p := range l.problems {
		if p.Kind != kindFormat {
			blocking = append(blocking, p)
		}
	}
	return blocking
}
