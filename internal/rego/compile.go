package rego

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Policy is a template with its parameters, prepared: evaluating it costs no parsing and no compiling. It is safe
// for concurrent use.
type Policy struct {
	info  Info
	query string
	eval  rego.PreparedEvalQuery

	members    []string
	allMembers bool
}

// Compile prepares source, which must pass Check, with parameters, a JSON object that the module sees as
// data.parameters. It does not compare the parameters with a schema: their owner has done so.
func Compile(ctx context.Context, source, parameters []byte) (*Policy, error) {
	compiler, info, problems := compile(source)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the policy does not compile: %w", joined(problems))
	}
	data, err := readParameters(parameters)
	if err != nil {
		return nil, err
	}
	p := &Policy{info: info, query: queryFor(info.Package)}
	p.members, p.allMembers = membersRead(compiler.Modules[moduleFile])
	p.eval, err = rego.New(
		rego.Compiler(compiler),
		rego.Capabilities(allowed().caps),
		rego.SetRegoVersion(ast.RegoV1),
		rego.StrictBuiltinErrors(true),
		// Values are read as they are evaluated, not converted at each read.
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))),
		rego.Query(p.query),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare policy %s: %w", info.Package, err)
	}
	return p, nil
}

// Info returns what the module says about itself.
func (p *Policy) Info() Info { return p.info }

// Query returns the query that is evaluated, as stock opa takes it:
//
//	opa eval -d policy.rego -d data.json -i input.json --capabilities capabilities.json --strict-builtin-errors --format raw QUERY
//
// with {"parameters": …} in data.json.
func (p *Policy) Query() string { return p.query }

func queryFor(pkg string) string {
	root := "data." + pkg
	if strings.HasPrefix(pkg, "[") {
		root = "data" + pkg
	}
	return fmt.Sprintf(`{"examined": %s.examined, "violations": %s.violations}`, root, root)
}

func readParameters(parameters []byte) (map[string]any, error) {
	if err := canonical.Check(parameters, maxDepth); err != nil {
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	var doc any
	if err := util.UnmarshalJSON(parameters, &doc); err != nil { // keeps numbers as they are written, as opa does
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("read the parameters: they must be a JSON object")
	}
	return map[string]any{"parameters": object}, nil
}

func joined(problems []Problem) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return errors.New(strings.Join(lines, "; "))
}
