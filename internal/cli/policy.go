package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plimsoll/plimsoll/internal/client"
)

const policyLayout = `
DIR holds templates/NAME/policy.rego with schema.json, and policy_test.rego and template.json where wanted; rules/*.json and
policies/*.json, one in each file. docs/policies-in-git.md tells more.
`

const checkUsage = `Looks at policies kept in a folder: plimsoll policy check DIR [FLAGS]

The server looks at each template as it does when one is made, and says everything that is wrong, with line and column. Nothing
is written. Ends with 1 when something is wrong.
` + policyLayout

const testUsage = `Runs the unit tests of policies kept in a folder: plimsoll policy test DIR [FLAGS]

The server looks at each template as it does when one is made, and runs its tests. Nothing is written. Ends with 1 when something
is wrong or a test failed.
` + policyLayout

// checkRego asks the server what it thinks of a template.
const checkRego = `query CheckRego($input: CheckRegoInput!) {
  checkRego(input: $input) { ok problems { kind message row column pointer } tests { name passed message } }
}`

// checkedRego is what the server thinks of a template.
type checkedRego struct {
	Template string        `json:"template"`
	OK       bool          `json:"ok"`
	Problems []regoProblem `json:"problems"`
	Tests    []regoTest    `json:"tests,omitempty"`
}

type regoProblem struct {
	Kind    string  `json:"kind"`
	Message string  `json:"message"`
	Row     *int    `json:"row,omitempty"`
	Column  *int    `json:"column,omitempty"`
	Pointer *string `json:"pointer,omitempty"`
}

type regoTest struct {
	Name    string `json:"name"`
	Passed  bool   `json:"passed"`
	Message string `json:"message,omitempty"`
}

func checkPolicies(ctx context.Context, env environment, args []string) error {
	return lookAtPolicies(ctx, env, args, "policy check", checkUsage, false)
}

func testPolicies(ctx context.Context, env environment, args []string) error {
	return lookAtPolicies(ctx, env, args, "policy test", testUsage, true)
}

func lookAtPolicies(ctx context.Context, env environment, args []string, name, usage string, tests bool) error {
	var r remote
	flags := remoteFlags(env, name, &r)
	words, err := r.parse(env, flags, usage, args)
	if err != nil {
		return err
	}
	folder, err := readFolder(words)
	if err != nil {
		return err
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	failed, ran, without := 0, 0, 0
	for _, t := range folder.templates {
		seen, err := lookAt(ctx, server, t, tests)
		if err != nil {
			return err
		}
		if err := seen.tell(env, r.output, folder.path); err != nil {
			return err
		}
		if !seen.OK {
			failed++
		}
		if t.Tests == "" {
			without++
		}
		ran += len(seen.Tests)
	}
	if r.output == "text" {
		fmt.Fprintf(env.stdout, "%d templates looked at, %d wrong", len(folder.templates), failed)
		if tests {
			fmt.Fprintf(env.stdout, "; %d tests ran, %d templates have none", ran, without)
		}
		fmt.Fprintln(env.stdout)
	}
	if failed > 0 {
		return errChecks
	}
	return nil
}

// lookAt asks the server about one template.
func lookAt(ctx context.Context, server *client.Client, t folderTemplate, tests bool) (checkedRego, error) {
	input := map[string]any{"rego": t.Rego, "parametersSchema": t.Schema}
	if tests && t.Tests != "" {
		input["tests"] = t.Tests
	}
	var out struct {
		CheckRego checkedRego
	}
	op := client.Operation{Name: "CheckRego", Document: checkRego, Variables: map[string]any{"input": input}}
	if err := client.Retry(ctx, pause, func() error { return server.Ask(ctx, op, &out) }); err != nil {
		return checkedRego{}, fmt.Errorf("check template %s: %w", t.Name, err)
	}
	out.CheckRego.Template = t.Name
	return out.CheckRego, nil
}

// tell prints a line for each problem and each test, in the form that editors jump to.
func (c checkedRego) tell(env environment, output, folder string) error {
	if output == "json" {
		return writeJSON(env.stdout, c)
	}
	for _, t := range c.Tests {
		said := "PASS"
		if !t.Passed {
			said = "FAIL"
		}
		fmt.Fprintf(env.stdout, "%s  %s\n", said, t.Name)
	}
	for _, p := range c.Problems {
		file := map[string]string{"TEST": testsFile, "PARAMETERS_SCHEMA": schemaFile}[p.Kind]
		if file == "" {
			file = regoFile
		}
		place := filepath.Join(folder, "templates", c.Template, file)
		switch {
		case p.Row != nil && p.Column != nil:
			place += fmt.Sprintf(":%d:%d", *p.Row, *p.Column)
		case p.Pointer != nil:
			place += "#" + *p.Pointer
		}
		fmt.Fprintf(env.stdout, "%s: %s: %s\n", place, p.Kind, p.Message)
	}
	return nil
}

// policyFolder is what a folder holds.
type policyFolder struct {
	path      string
	templates []folderTemplate
	rules     []folderRule
	policies  []folderPolicy
}

// folderTemplate is a template of a folder. What the METADATA says need not stand in template.json.
type folderTemplate struct {
	Name        string          `json:"-"`
	Category    string          `json:"category"`
	Title       *string         `json:"title,omitempty"`
	Description *string         `json:"description,omitempty"`
	Remediation *string         `json:"remediation,omitempty"`
	Controls    []string        `json:"controls,omitempty"`
	Rego        string          `json:"-"`
	Schema      json.RawMessage `json:"-"`
	Tests       string          `json:"-"`
}

// folderRule is a rule of a folder, in the form of CreateRuleInput.
type folderRule struct {
	Name       string          `json:"name"`
	Template   string          `json:"template"`
	Parameters json.RawMessage `json:"parameters"`
}

// The files of a template.
const (
	regoFile     = "policy.rego"
	testsFile    = "policy_test.rego"
	schemaFile   = "schema.json"
	templateFile = "template.json"
)

// readFolder reads the one folder that a command names.
func readFolder(words []string) (policyFolder, error) {
	if len(words) != 1 {
		return policyFolder{}, fmt.Errorf("%w: give one folder of policies, not %d", errWrongCall, len(words))
	}
	f := policyFolder{path: words[0]}
	err := errors.Join(f.readTemplates(), eachFile(f.path, "rules", &f.rules), eachFile(f.path, "policies", &f.policies))
	if err != nil {
		return f, fmt.Errorf("%w: %w", errWrongCall, err)
	}
	if len(f.templates)+len(f.rules)+len(f.policies) == 0 {
		return f, fmt.Errorf("%w: %s holds no templates, rules or policies", errWrongCall, f.path)
	}
	return f, f.agree()
}

func (f *policyFolder) readTemplates() error {
	folders, err := filepath.Glob(filepath.Join(f.path, "templates", "*", regoFile))
	if err != nil {
		return err
	}
	for _, source := range folders {
		folder := filepath.Dir(source)
		t := folderTemplate{Name: filepath.Base(folder), Category: "CUSTOM"}
		rego, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if t.Schema, err = os.ReadFile(filepath.Join(folder, schemaFile)); err != nil {
			return err
		}
		if !json.Valid(t.Schema) {
			return fmt.Errorf("%s is no JSON", filepath.Join(folder, schemaFile))
		}
		tests, err := os.ReadFile(filepath.Join(folder, testsFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		t.Rego, t.Tests = string(rego), string(tests)
		about := filepath.Join(folder, templateFile)
		if err := readJSONFile(about, &t); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.templates = append(f.templates, t)
	}
	return nil
}
