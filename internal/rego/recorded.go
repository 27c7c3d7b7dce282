package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// AsInput makes the value what a policy sees as input: that of a decision as it was recorded.
func (v Value) AsInput() Input { return Input(v) }

// CompileRecorded prepares the source of a decision that is made again, under the capabilities that it was made under: those of
// another version are others. Source and capabilities may come from anybody. Capabilities that allow more than a decision may
// ever do, such as to reach a host, are refused. Compiling has the bounds of an evaluation.
func CompileRecorded(ctx context.Context, source, parameters, capabilities []byte, lim Limits) (*Policy, error) {
	type compiled struct {
		policy *Policy
		err    error
	}
	done, err := within(ctx, lim.orDefault(), func() {}, func() (c compiled) {
		defer func() {
			if r := recover(); r != nil {
				c = compiled{err: fmt.Errorf("the engine failed: %v", r)}
			}
		}()
		p, err := compileRecorded(ctx, source, parameters, capabilities)
		return compiled{p, err}
	})
	if err != nil {
		return nil, fmt.Errorf("compile the policy: %w", err)
	}
	return done.policy, done.err
}

func compileRecorded(ctx context.Context, source, parameters, capabilities []byte) (*Policy, error) {
	if len(source) > MaxSource {
		return nil, fmt.Errorf("the source has %d bytes, the limit is %d", len(source), MaxSource)
	}
	caps, err := readCapabilities(capabilities)
	if err != nil {
		return nil, err
	}
	module, err := ast.ParseModuleWithOpts(moduleFile, string(source), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: caps})
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	if module == nil {
		return nil, errors.New("the policy is empty")
	}
	compiler := ast.NewCompiler().WithCapabilities(caps).WithStrict(true).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(map[string]*ast.Module{moduleFile: module}); compiler.Failed() {
		return nil, fmt.Errorf("the policy does not compile: %w", compiler.Errors)
	}
	data, err := readParameters(parameters)
	if err != nil {
		return nil, err
	}
	info := Info{Package: packageName(module.Package.Path)}
	p := &Policy{info: info, query: queryFor(info.Package), allMembers: true}
	p.eval, err = rego.New(
		rego.Compiler(compiler),
		rego.Capabilities(caps),
		rego.SetRegoVersion(ast.RegoV1),
		rego.StrictBuiltinErrors(true),
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))),
		rego.Query(p.query),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare policy %s: %w", info.Package, err)
	}
	return p, nil
}

// readCapabilities reads recorded capabilities.
func readCapabilities(text []byte) (*ast.Capabilities, error) {
	if bytes.Equal(text, allowed().json) {
		return allowed().caps, nil
	}
	var members struct {
		AllowNet []string `json:"allow_net"`
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("read the capabilities: %w", err)
	}
	caps, err := ast.LoadCapabilitiesJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the capabilities: %w", err)
	}
	if members.AllowNet == nil || len(members.AllowNet) > 0 {
		return nil, errors.New("the capabilities allow to reach other hosts")
	}
	for _, b := range caps.Builtins {
		if hint, refused := allowed().refused[b.Name]; refused {
			return nil, fmt.Errorf("the capabilities allow %s: %s", b.Name, hint)
		}
	}
	return caps, nil
}
