package rego

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
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
	types, err := ast.ParseModuleWithOpts("schemas.rego", about.String(), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
	if err != nil {
		return nil, fmt.Errorf("read schemas: %w", err)
	}
	compiler := ast.NewCompiler().WithCapabilities(allowed().caps).WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).
		WithUseTypeCheckAnnotations(true).SetErrorLimit(maxErrors)
	compiler.Compile(map[string]*ast.Module{moduleFile: module, "schemas.rego": types})
	for _, e := range compiler.Errors {
		problems = append(problems, misread(e))
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
	switch {
	case schema["type"] == "object" && properties != nil && schema["additionalProperties"] == false:
		reduced := map[string]any{}
		for name, property := range properties {
			if of, ok := property.(map[string]any); ok {
				reduced[name] = typed(root, of, depth+1)
			}
		}
		return closed(reduced)
	case schema["type"] == "array" && items != nil:
		return map[string]any{"type": "array", "items": typed(root, items, depth+1)}
	}
	return anything
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

// gets looks at object.get(input, "name", …) and object.get(data.parameters, "name", …), which the type checker lets pass.
func gets(t *ast.Term, input, parameters any) []Problem {
	call, ok := t.Value.(ast.Call)
	if !ok || len(call) < 3 || call[0].String() != "object.get" {
		return nil
	}
	name, ok := call[2].Value.(ast.String)
	if !ok {
		return nil
	}
	known := func(schema any) ([]string, bool) {
		s, ok := schema.(map[string]any)
		if !ok {
			return nil, true
		}
		properties, _ := s["properties"].(map[string]any)
		_, there := properties[string(name)]
		return slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(n string) bool { return n == "" }), there
	}
	switch call[1].String() {
	case "input":
		if names, there := known(input); !there {
			return []Problem{at(t.Location, CodeUnknownInput, unknownMember("input", strconv.Quote(string(name)), names))}
		}
	case "data.parameters":
		if names, there := known(parameters); !there {
			return []Problem{at(t.Location, CodeUnknownParameter, unknownParameter(string(name), names))}
		}
	}
	return nil
}
