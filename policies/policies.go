// Package policies holds the policy templates that every installation has: a folder a rule, <domain>/<rule>/, with the
// Rego module, its tests and the JSON Schema of its parameters. What a template says about itself stands in the
// METADATA of its package and nowhere else.
package policies

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/plimsoll/plimsoll/internal/rego"
)

//go:embed */*/*.rego */*/parameters.schema.json
var files embed.FS

// Template is a built-in policy template.
type Template struct {
	Name             string // the name it is known by, e.g. "evidence-present"; the last part of its folder
	Category         string // AUDIT, QUALITY, SECURITY or WORKFLOW
	Title            string
	Description      string
	Remediation      string   // what to do about a violation; may hold {subject}, {application}, {version}, {parameters.X}
	Evidence         string   // what has to be there for it to look at
	Predicates       []string // the predicate types of that, where it looks for particular ones
	Controls         []string // framework controls it gives evidence for, e.g. "NIST-SSDF PS.3.2"
	Rego             []byte   // the module
	Tests            []byte   // its unit tests, a module of their own
	ParametersSchema []byte   // JSON Schema 2020-12, with defaults
	Folder           string   // where it lives below this package, e.g. "evidence/evidence-present"
}

// Builtin returns the templates in the order of their folders. The bytes are the caller's own. It fails only when the
// binary was built from a template that does not compile, which the tests rule out.
func Builtin() ([]Template, error) {
	schemas, err := fs.Glob(files, "*/*/parameters.schema.json")
	if err != nil {
		return nil, fmt.Errorf("list the built-in templates: %w", err)
	}
	templates := make([]Template, 0, len(schemas))
	for _, schema := range schemas {
		t, err := load(path.Dir(schema))
		if err != nil {
			return nil, fmt.Errorf("load the built-in template %s: %w", path.Dir(schema), err)
		}
		templates = append(templates, t)
	}
	return templates, nil
}

func load(folder string) (Template, error) {
	name := path.Base(folder)
	source, err := files.ReadFile(path.Join(folder, name+".rego"))
	if err != nil {
		return Template{}, err
	}
	tests, err := files.ReadFile(path.Join(folder, name+"_test.rego"))
	if err != nil {
		return Template{}, err
	}
	schema, err := files.ReadFile(path.Join(folder, "parameters.schema.json"))
	if err != nil {
		return Template{}, err
	}
	info, problems := rego.Check(source)
	if len(problems) > 0 {
		return Template{}, fmt.Errorf("%s", problems[0])
	}
	return Template{
		Name: name, Folder: folder,
		Category: info.Category, Title: info.Title, Description: info.Description,
		Remediation: info.Remediation, Evidence: info.Evidence, Predicates: info.Predicates, Controls: info.Controls,
		Rego: source, Tests: tests, ParametersSchema: schema,
	}, nil
}
