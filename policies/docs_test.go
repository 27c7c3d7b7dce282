package policies_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/policies"
)

var update = flag.Bool("update", false, "write docs/policies anew")

// TestDocs keeps a page for each template in step with its metadata and its schema:
// `go test ./policies -run Docs -update` writes them.
func TestDocs(t *testing.T) {
	pages := map[string]string{"README.md": index(builtin(t))}
	for _, tpl := range builtin(t) {
		pages[tpl.Name+".md"] = page(t, tpl)
	}
	folder := filepath.Join("..", "docs", "policies")
	for name, want := range pages {
		path := filepath.Join(folder, name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what the template says (%v): go test ./policies -run Docs -update", path, err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, known := pages[e.Name()]; !known {
			t.Errorf("%s describes no template", e.Name())
		}
	}
}

// TestDocsOfTheInputNameEveryField reads the names from the schema, so that a new field is described before it ships.
func TestDocsOfTheInputNameEveryField(t *testing.T) {
	source, err := os.ReadFile("../docs/policy-input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/policy-input.md")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(source, &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range fields(schema) {
		if !bytes.Contains(text, []byte("`"+name+"`")) {
			t.Errorf("docs/policy-input.md does not mention `%s`", name)
		}
	}
}

func fields(node any) []string {
	var names []string
	switch node := node.(type) {
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok {
			for name := range properties {
				names = append(names, name)
			}
		}
		for _, child := range node {
			names = append(names, fields(child)...)
		}
	case []any:
		for _, child := range node {
			names = append(names, fields(child)...)
		}
	}
	return names
}

const generated = "<!-- Generated from the template's metadata and schema: go test ./policies -run Docs -update -->\n\n"

func index(list []policies.Template) string {
	var b strings.Builder
	b.WriteString(generated + "# Built-in policy templates\n\nEvery installation has them. What a rule sees is described in [the policy input](../policy-input.md).\n\n" +
		"| Template | Category | What it asks | Controls |\n|---|---|---|---|\n")
	for _, tpl := range list {
		fmt.Fprintf(&b, "| [`%s`](%s.md) | %s | %s | %s |\n", tpl.Name, tpl.Name, tpl.Category, tpl.Title, strings.Join(tpl.Controls, ", "))
	}
	return b.String()
}

func page(t *testing.T, tpl policies.Template) string {
	t.Helper()
	var schema struct {
		Required   []string
		AnyOf      []struct{ Required []string }
		Properties map[string]map[string]any
	}
	if err := json.Unmarshal(tpl.ParametersSchema, &schema); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, generated+"# %s\n\n`%s` · %s · source [`policies/%s`](../../policies/%s)\n\n%s\n\n", tpl.Title, tpl.Name, tpl.Category, tpl.Folder, tpl.Folder, tpl.Description)
	fmt.Fprintf(&b, "**What it looks at.** %s\n\n", tpl.Evidence)
	if len(tpl.Predicates) > 0 {
		fmt.Fprintf(&b, "**Predicate types.** `%s`\n\n", strings.Join(tpl.Predicates, "`, `"))
	}
	fmt.Fprintf(&b, "**What to do.** %s\n\n**Controls.** %s\n\n", tpl.Remediation, strings.Join(tpl.Controls, ", "))
	b.WriteString("## Parameters\n\n| Name | Type | Default | Meaning |\n|---|---|---|---|\n")
	for _, name := range propertyNames(t, tpl) {
		p := schema.Properties[name]
		def := "none"
		switch {
		case slices.Contains(schema.Required, name):
			def = "required"
		case p["default"] != nil:
			def = fmt.Sprintf("`%v`", p["default"])
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, typeOf(p), def, p["description"])
	}
	var either []string
	for _, alternative := range schema.AnyOf {
		either = append(either, "`"+strings.Join(alternative.Required, "`, `")+"`")
	}
	if len(either) > 0 {
		fmt.Fprintf(&b, "\nAt least one of %s must be given.\n", strings.Join(either, " and "))
	}
	b.WriteString("\n## Codes of its violations\n\n")
	for _, code := range codes(t, tpl.Rego) {
		fmt.Fprintf(&b, "- `%s`\n", code)
	}
	return b.String()
}

// typeOf spells the type with its bounds.
func typeOf(p map[string]any) string {
	s := fmt.Sprint(p["type"])
	if values, ok := p["enum"].([]any); ok {
		s = fmt.Sprintf("one of %v", values)
	}
	if items, ok := p["items"].(map[string]any); ok {
		s = "list of " + typeOf(items)
	}
	if low, ok := p["minimum"].(float64); ok {
		s = fmt.Sprintf("%s, %.0f to %.0f", s, low, p["maximum"])
	}
	return s
}

// codes are the only words of a module in this spelling, but for the values of the input.
func codes(t *testing.T, source []byte) []string {
	t.Helper()
	schema, err := os.ReadFile("../docs/policy-input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile(`"([A-Z]+(?:_[A-Z]+)+)"`).FindAllSubmatch(source, -1) {
		if !bytes.Contains(schema, m[0]) {
			list = append(list, string(m[1]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
