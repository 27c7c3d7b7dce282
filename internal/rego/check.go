package rego

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// MaxSource is the longest template source, in bytes.
const MaxSource = 64 << 10

// moduleFile is the name a template has in OPA's locations. It never reaches a Problem.
const moduleFile = "policy.rego"

// Problem is one reason why a source is not a template. Row and Col are 1-based.
type Problem struct {
	Row, Col      int
	Code, Message string
}

// String puts the place before what is wrong: "line 3, column 7: …".
func (p Problem) String() string {
	return fmt.Sprintf("line %d, column %d: %s", p.Row, p.Col, p.Message)
}

// Codes of problems that OPA does not name itself; the others are OPA's (rego_parse_error, rego_type_error, …).
const (
	CodeTooLarge         = "too_large"
	CodeForbiddenBuiltin = "forbidden_builtin"
	CodeForbiddenImport  = "forbidden_import"
	CodeForbiddenData    = "forbidden_data"
	CodePackage          = "package"
	CodeMissingSet       = "missing_set"
	CodeMetadata         = "metadata"
	CodeUnknownInput     = "unknown_input"
	CodeUnknownParameter = "unknown_parameter"
	CodeLimit            = "limit"
	CodeFormat           = "format"
	CodeTest             = "test"
)

// maxErrors is how many errors the compiler gathers before it gives up.
const maxErrors = 100

// Info is what a module says about itself. All but Package come from the METADATA of its package and may be empty.
type Info struct {
	Package            string   // as written after the keyword, e.g. "plimsoll.release.gate_certified"
	Title, Description string   //
	Category           string   // custom.category
	Remediation        string   // custom.remediation, with its placeholders unresolved
	Sentence           string   // custom.sentence: what it asks, for the sentence of a policy; may hold {parameters.…}
	Evidence           string   // custom.evidence, where it is a text: what the rule has to be given
	Controls           []string // custom.controls
	Predicates         []string // custom.predicates, or custom.evidence where it is a list: the predicate types that it needs
	Parameters         []string // custom.parameters: the names of its parameters
}

// Check tells whether source is a template: not longer than MaxSource, Rego v1, strict, compiled under Capabilities,
// one module that defines the partial sets examined and violations and reads nothing of data but data.parameters and
// its own package. The problems are sorted by place; with none the source is one that Compile accepts.
func Check(source []byte) (Info, []Problem) {
	_, info, problems := compile(source)
	return info, problems
}

// compile does the work of Check and keeps the compiled module for Compile.
func compile(source []byte) (*ast.Compiler, Info, []Problem) {
	if len(source) > MaxSource {
		return nil, Info{}, []Problem{{
			1, 1, CodeTooLarge,
			fmt.Sprintf("the source has %d bytes, the limit is %d", len(source), MaxSource),
		}}
	}
	caps := allowed()
	module, problems := parse(moduleFile, source)
	if module == nil {
		return nil, Info{}, problems
	}
	info, more := describe(module)
	problems = append(problems, more...)
	problems = append(problems, checkPackage(module)...)
	problems = append(problems, checkImports(module)...)
	problems = append(problems, checkBuiltins(module, caps.refused)...)
	problems = append(problems, checkSets(module)...)
	problems = append(problems, checkData(module)...)

	compiler := ast.NewCompiler().WithCapabilities(caps.caps).WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).SetErrorLimit(maxErrors)
	compiler.Compile(map[string]*ast.Module{moduleFile: module})
	if compiler.Failed() {
		problems = append(problems, withoutRefused(problemsOf(compiler.Errors), caps.refused)...)
	}
	return compiler, info, sorted(problems)
}

// parse reads a module with its annotations. Where they alone are wrong, the module comes without them, and with problems of
// the METADATA; where the text is wrong, there is no module.
func parse(file string, source []byte) (*ast.Module, []Problem) {
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: allowed().caps, ProcessAnnotation: true}
	module, err := ast.ParseModuleWithOpts(file, string(source), options)
	if err == nil {
		return module, nil
	}
	all := problemsOf(err)
	options.ProcessAnnotation = false
	module, err = ast.ParseModuleWithOpts(file, string(source), options)
	var text []Problem
	if err != nil {
		module, text = nil, problemsOf(err)
	}
	for i, p := range all {
		if !slices.Contains(text, p) {
			all[i].Code, all[i].Message = CodeMetadata, "the METADATA cannot be read: "+p.Message
		}
	}
	return module, sorted(all)
}

// describe reads the METADATA of the package.
func describe(m *ast.Module) (Info, []Problem) {
	info := Info{Package: packageName(m.Package.Path)}
	for _, a := range m.Annotations {
		if a.Scope != "package" {
			continue
		}
		info.Title, info.Description = a.Title, strings.TrimSpace(a.Description)
		var problems []Problem
		text := func(key string) string {
			v, ok := a.Custom[key]
			s, isString := v.(string)
			if ok && !isString {
				problems = append(problems, at(a.Location, CodeMetadata, "custom."+key+" in METADATA must be a string"))
			}
			return strings.TrimSpace(s)
		}
		list := func(key string) []string {
			v, ok := a.Custom[key]
			items, isList := v.([]any)
			out := make([]string, 0, len(items))
			for _, item := range items {
				s, isString := item.(string)
				isList = isList && isString
				out = append(out, s)
			}
			if ok && !isList {
				problems = append(problems, at(a.Location, CodeMetadata, "custom."+key+" in METADATA must be a list of strings"))
			}
			return out
		}
		info.Category, info.Remediation, info.Sentence = text("category"), text("remediation"), text("sentence")
		info.Controls, info.Parameters, info.Predicates = list("controls"), list("parameters"), list("predicates")
		if _, isText := a.Custom["evidence"].(string); isText {
			info.Evidence = text("evidence")
		} else {
			info.Predicates = append(info.Predicates, list("evidence")...)
		}
		return info, problems
	}
	return info, nil
}

// Describe reads what a module says about itself, and nothing else of it: of one that cannot be parsed it is empty.
func Describe(source []byte) Info {
	module, _ := parse(moduleFile, source)
	if module == nil {
		return Info{}
	}
	info, _ := describe(module)
	return info
}

// packageName is the path as it stands after the keyword: OPA keeps it below data.
func packageName(path ast.Ref) string {
	return strings.TrimPrefix(strings.TrimPrefix(path.String(), "data"), ".")
}

// checkPackage keeps the package out of data.parameters, where the two would hide each other.
func checkPackage(m *ast.Module) []Problem {
	path := m.Package.Path
	if len(path) > 1 && path[1].Value.Compare(ast.String("parameters")) == 0 {
		return []Problem{at(m.Package.Location, CodePackage, "the package must not start with parameters: data.parameters is where the parameters are")}
	}
	return nil
}

func checkImports(m *ast.Module) []Problem {
	var problems []Problem
	for _, imp := range m.Imports {
		path, ok := imp.Path.Value.(ast.Ref)
		if ok && len(path) > 0 {
			head, _ := path[0].Value.(ast.Var)
			isParameters := len(path) > 1 && path[1].Value.Compare(ast.String("parameters")) == 0
			if head == "rego" || head == "future" || head == "input" || head == "data" && isParameters {
				continue
			}
		}
		problems = append(problems, at(imp.Location, CodeForbiddenImport,
			fmt.Sprintf("%v cannot be imported: a template is one module; it may import input and data.parameters", imp.Path)))
	}
	return problems
}

// checkBuiltins names each refused built-in where it is called or put in the place of another, which says more than
// the compiler's "undefined function".
func checkBuiltins(m *ast.Module, refused map[string]string) []Problem {
	var problems []Problem
	zoned := false
	look := func(loc *ast.Location, t *ast.Term) {
		ref, ok := t.Value.(ast.Ref)
		if !ok {
			return
		}
		name := ref.String()
		zoned = zoned || strings.HasPrefix(name, "time.")
		if hint, ok := refused[name]; ok {
			problems = append(problems, at(loc, CodeForbiddenBuiltin, name+" is not allowed: "+hint))
		}
	}
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if x.IsCall() {
				look(x.Location, x.Terms.([]*ast.Term)[0])
			}
		case *ast.With:
			look(x.Location, x.Target)
			look(x.Location, x.Value)
		case ast.Call:
			look(x[0].Location, x[0])
		}
		return false
	}).Walk(m)
	if zoned {
		problems = append(problems, checkZones(m)...)
	}
	return problems
}

// checkZones refuses the one time zone whose meaning depends on the machine.
func checkZones(m *ast.Module) []Problem {
	var problems []Problem
	ast.WalkTerms(m, func(t *ast.Term) bool {
		if s, ok := t.Value.(ast.String); ok && s == "Local" {
			problems = append(problems, at(t.Location, CodeForbiddenBuiltin,
				`the time zone "Local" is not allowed: it is another one on another machine; name the zone or use UTC`))
		}
		return false
	})
	return problems
}

func checkSets(m *ast.Module) []Problem {
	var problems []Problem
	for _, name := range []string{"examined", "violations"} {
		found := false
		for _, rule := range m.Rules {
			if head := rule.Head.Ref(); len(head) == 0 || !head[0].Equal(ast.VarTerm(name)) {
				continue
			}
			found = true
			if rule.Head.RuleKind() != ast.MultiValue || len(rule.Head.Ref()) != 1 || rule.Default {
				problems = append(problems, at(rule.Location, CodeMissingSet,
					fmt.Sprintf("%s must be a set: write `%s contains … if …`", name, name)))
			}
		}
		if !found {
			problems = append(problems, at(m.Package.Location, CodeMissingSet,
				fmt.Sprintf("the module must define %s: write `%s contains … if …`", name, name)))
		}
	}
	return problems
}

// checkData looks at each reference that starts at data. Imports cannot hide one: only data.parameters is importable.
func checkData(m *ast.Module) []Problem {
	var problems []Problem
	refuse := func(loc *ast.Location, what string) {
		problems = append(problems, at(loc, CodeForbiddenData,
			what+" cannot be read: a template sees input, data.parameters and its own rules"))
	}
	var look func(t *ast.Term) bool
	look = func(t *ast.Term) bool {
		ref, ok := t.Value.(ast.Ref)
		if !ok || !ref[0].Equal(ast.DefaultRootDocument) {
			return false
		}
		isParameters := len(ref) > 1 && ref[1].Value.Compare(ast.String("parameters")) == 0
		isOwn := ref.HasPrefix(m.Package.Path) && len(ref) > len(m.Package.Path)
		switch {
		case len(ref) == 1:
			refuse(t.Location, "the whole of data")
		case !isParameters && !isOwn:
			refuse(t.Location, ref.String())
		}
		for _, part := range ref[1:] { // data may stand inside the brackets, too
			ast.WalkTerms(part, look)
		}
		return true
	}
	for _, rule := range m.Rules {
		ast.WalkTerms(rule, look)
	}
	return problems
}

// withoutRefused drops what the compiler says of built-ins that are already named.
func withoutRefused(problems []Problem, refused map[string]string) []Problem {
	return slices.DeleteFunc(problems, func(p Problem) bool {
		name, ok := strings.CutPrefix(p.Message, "undefined function ")
		_, named := refused[name]
		return ok && named
	})
}

func problemsOf(err error) []Problem {
	var list ast.Errors
	if !errors.As(err, &list) {
		return []Problem{{1, 1, ast.ParseErr, err.Error()}}
	}
	problems := make([]Problem, 0, len(list))
	for _, e := range list {
		problems = append(problems, at(e.Location, e.Code, e.Message))
	}
	return problems
}

func at(loc *ast.Location, code, message string) Problem {
	p := Problem{1, 1, code, message}
	if loc != nil {
		p.Row, p.Col = max(loc.Row, 1), max(loc.Col, 1)
	}
	return p
}

func sorted(problems []Problem) []Problem {
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(problems)
}
