package rego

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// Reads says what there is to read for a template, so that a name that is misspelt is found before it is undefined.
type Reads struct {
	// Input is the JSON Schema of policy inputs; nil when it is not known.
	Input []byte
	// Parameters are the names of the parameters; nil when they are not known.
	Parameters []string
}

// checkReads looks for references to what is not there, with the type checker of the compiler: also behind a local name of an
// object. What it cannot follow, the arguments of functions first of all, passes. The source must have passed Check.
func checkReads(source []byte, r Reads) ([]Problem, error) {
	if r.Input == nil && r.Parameters == nil {
		return nil, nil
	}
	input, parameters, err := r.schemas()
	if err != nil {
		return nil, err
	}
	// Without annotations: a schema that a template gives for itself must not hide a misspelt name.
	module, err := ast.ParseModuleWithOpts(moduleFile, string(source), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: allowed().caps})
	if err != nil {
		return problemsOf(err), nil
	}
	followEvery(module)
	var problems []Problem
	ast.WalkTerms(module, func(t *ast.Term) bool {
		problems = append(problems, gets(t, input, parameters)...)
		return false
	})
	// The schemas stand in a module of the same package, as annotations that hold below it. A parsed package's own annotations
	// would hold for its module alone.
	var about strings.Builder
	about.WriteString("# METADATA\n# scope: subpackages\n# schemas:\n")
	for path, schema := range map[string]any{"input": input, "data.parameters": parameters} {
		if schema == nil {
			continue
		}
		b, err := json.Marshal(schema)
		if err != nil {
			return nil, fmt.Errorf("write schema of %s: %w", path, err)
		}
		about.WriteString("#   - " + path + ": " + string(b) + "\n")
	}
	about.WriteString(strings.TrimSuffix(fmt.Sprintf("%v", module.Package), "\n") + "\n")
	schemas, err := ast.ParseModuleWithOpts("schemas.rego", about.String(), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
	if err != nil {
		return nil, fmt.Errorf("read schemas: %w", err)
	}
	compiler := ast.NewCompiler().WithCapabilities(allowed().caps).WithDefaultRegoVersion(ast.RegoV1).
		WithUseTypeCheckAnnotations(true).SetErrorLimit(maxErrors)
	compiler.Compile(map[string]*ast.Module{moduleFile: module, "schemas.rego": schemas})
	for _, e := range compiler.Errors {
		if !comparesNull(e) {
			problems = append(problems, misread(e))
		}
	}
	return sorted(problems), nil
}

// schemas returns the schemas of the input and of the parameters as the type checker understands them; nil for none.
func (r Reads) schemas() (input, parameters any, err error) {
	if r.Input != nil {
		var doc map[string]any
		if err := json.Unmarshal(r.Input, &doc); err != nil {
			return nil, nil, fmt.Errorf("read schema of policy inputs: %w", err)
		}
		input = typed(doc, doc, 0)
	}
	if r.Parameters != nil {
		properties := map[string]any{}
		for _, name := range r.Parameters {
			properties[name] = map[string]any{}
		}
		parameters = closed(properties)
	}
	return input, parameters, nil
}

// closed is the schema of an object that has these properties alone. One without any would be taken for one that may have
// every property, so it has one that nobody reads.
func closed(properties map[string]any) map[string]any {
	if len(properties) == 0 {
		properties = map[string]any{"": map[string]any{}}
	}
	return map[string]any{"type": "object", "properties": properties}
}

// typed reduces a JSON Schema to what the type checker follows without false alarms: objects whose properties are known,
// arrays of them, and anything for the rest.
func typed(root, schema map[string]any, depth int) map[string]any {
	anything := map[string]any{}
	if depth > maxDepth {
		return anything
	}
	if ref, ok := schema["$ref"].(string); ok {
		target, ok := resolve(root, ref)
		if !ok {
			return anything
		}
		return typed(root, target, depth+1)
	}
	properties, _ := schema["properties"].(map[string]any)
	items, _ := schema["items"].(map[string]any)
	of := orNull(schema["type"])
	switch {
	case of == "object" && properties != nil && schema["additionalProperties"] == false:
		reduced := map[string]any{}
		for name, property := range properties {
			if of, ok := property.(map[string]any); ok {
				reduced[name] = typed(root, of, depth+1)
			}
		}
		return closed(reduced)
	case of == "array" && items != nil:
		return map[string]any{"type": "array", "items": typed(root, items, depth+1)}
	}
	return anything
}

// orNull returns the type that a schema gives, also beside null: what is null has no members, and is not looked into.
func orNull(given any) any {
	if list, ok := given.([]any); ok && len(list) == 2 && list[1] == "null" {
		return list[0]
	}
	return given
}

// comparesNull tells the error of a comparison with null, which may well be what the schema says and the reduced one does not.
func comparesNull(e *ast.Error) bool {
	detail, ok := e.Details.(*ast.UnificationErrDetail)
	return ok && (types.Compare(detail.Left, types.Nl) == 0 || types.Compare(detail.Right, types.Nl) == 0)
}

// followEvery puts a comprehension that reads the same in the place of each every, behind which the type checker does not look.
// The module is for looking at alone: it says something else than before.
func followEvery(module *ast.Module) {
	ast.WalkExprs(module, func(e *ast.Expr) bool {
		every, ok := e.Terms.(*ast.Every)
		if !ok {
			return false
		}
		member, args := ast.Member, []*ast.Term{every.Value, every.Domain}
		if every.Key != nil {
			member, args = ast.MemberWithKey, []*ast.Term{every.Key, every.Value, every.Domain}
		}
		some := &ast.SomeDecl{Location: every.Location, Symbols: []*ast.Term{ast.CallTerm(append([]*ast.Term{ast.NewTerm(member.Ref())}, args...)...)}}
		body := append(ast.NewBody(ast.NewExpr(some).SetLocation(every.Location)), every.Body...)
		e.Terms = ast.ArrayComprehensionTerm(ast.BooleanTerm(true), body).SetLocation(every.Location)
		return false
	})
}

// resolve follows a reference within a schema.
func resolve(root map[string]any, ref string) (map[string]any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	at := root
	for name := range strings.SplitSeq(pointer, "/") {
		next, isObject := at[name].(map[string]any)
		at, ok = next, ok && isObject
	}
	return at, ok
}

// misread says what a type error is about.
func misread(e *ast.Error) Problem {
	detail, ok := e.Details.(*ast.RefErrInvalidDetail)
	if !ok || detail.Pos == 0 || detail.Pos >= len(detail.Ref) {
		return at(e.Location, e.Code, e.Message)
	}
	names := make([]string, 0, len(detail.OneOf))
	for _, v := range detail.OneOf {
		if s, isText := v.(ast.String); isText && s != "" {
			names = append(names, string(s))
		}
	}
	slices.Sort(names)
	parameters := ast.MustParseRef("data.parameters")
	if detail.Ref.HasPrefix(parameters) && detail.Pos == len(parameters) {
		return at(e.Location, CodeUnknownParameter, unknownParameter(text(detail.Ref[detail.Pos]), names))
	}
	return at(e.Location, CodeUnknownInput, unknownMember(detail.Ref[:detail.Pos].String(), text(detail.Ref[detail.Pos]), names))
}

func unknownParameter(name string, names []string) string {
	takes := "declares none"
	if len(names) > 0 {
		takes = "declares " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("data.parameters.%s is read, and the schema of the parameters does not declare it: it %s", name, takes)
}

func unknownMember(of, name string, names []string) string {
	return fmt.Sprintf("%s has no %s, so that what reads it is never true: it has %s", of, name, strings.Join(names, ", "))
}

// text is a constant as it is read by people.
func text(t *ast.Term) string {
	if s, ok := t.Value.(ast.String); ok {
		return string(s)
	}
	return t.String()
}

// gets looks at object.get over a part of the input or of the parameters, which the type checker lets pass.
func gets(t *ast.Term, input, parameters any) []Problem {
	call, ok := t.Value.(ast.Call)
	if !ok || len(call) < 3 || call[0].String() != "object.get" {
		return nil
	}
	var of ast.Ref
	switch v := call[1].Value.(type) {
	case ast.Ref:
		of = v
	case ast.Var:
		of = ast.Ref{call[1]}
	default:
		return nil
	}
	path := []*ast.Term{call[2]}
	if steps, ok := call[2].Value.(*ast.Array); ok {
		path = nil
		steps.Foreach(func(step *ast.Term) { path = append(path, step) })
	}
	schema, code := input, CodeUnknownInput
	from := 1
	if data := ast.MustParseRef("data.parameters"); of.HasPrefix(data) {
		schema, code, from = parameters, CodeUnknownParameter, len(data)
	} else if !of.HasPrefix(ast.Ref{ast.InputRootDocument}) {
		return nil
	}
	whole := slices.Concat(of, path)
	for i, step := range whole[from:] {
		next, names, known := member(schema, step)
		if known {
			schema = next
			continue
		}
		if code == CodeUnknownParameter {
			return []Problem{at(t.Location, code, unknownParameter(text(step), names))}
		}
		return []Problem{at(t.Location, code, unknownMember(whole[:from+i].String(), strconv.Quote(text(step)), names))}
	}
	return nil
}

// member is what a reduced schema says of a step into it; false, and the names that there are, when it knows better.
func member(schema any, step *ast.Term) (next any, names []string, known bool) {
	s, _ := schema.(map[string]any)
	if s["type"] == "array" {
		return s["items"], nil, true
	}
	properties, closed := s["properties"].(map[string]any)
	name, constant := step.Value.(ast.String)
	if !closed || !constant {
		return nil, nil, true
	}
	next, known = properties[string(name)]
	return next, slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(n string) bool { return n == "" }), known
}
