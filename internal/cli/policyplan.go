package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// What becomes of a thing in a plan.
const (
	planMake   = "make"
	planChange = "change"
	planKeep   = "unchanged"
)

// planned is a thing of a folder, and what a push does about it.
type planned struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Action string `json:"action"`
	Detail string `json:"detail,omitempty"`
	Diff   string `json:"diff,omitempty"`

	// operation, document and input are what is sent; none for what stays.
	operation, document string
	input               map[string]any
	// template and revision are what a rule must stand on when it is made.
	revision int
}

// plan is what a push does, in this order.
type plan []planned

// planPush compares a folder with the server. The error is about what cannot be brought there.
func planPush(f policyFolder, on serverPolicies) (plan, error) {
	var p plan
	revisions, schemas := map[string]int{}, map[string]json.RawMessage{}
	for name, t := range on.templates {
		revisions[name], schemas[name] = t.Revision, t.Schema
	}
	for _, t := range f.templates {
		step := planTemplate(t, on.templates[t.Name])
		if step.Action != planKeep {
			revisions[t.Name]++
		}
		schemas[t.Name] = t.Schema
		p = append(p, step)
	}
	called := map[string]string{} // name in the folder → name on the server
	for _, r := range on.rules {
		called[r.Name] = r.Name
	}
	for _, r := range f.rules {
		if revisions[r.Template] == 0 {
			return nil, fmt.Errorf("%w: rule %s stands on template %s, which is neither in the folder nor on the server", errWrongCall, r.Name, r.Template)
		}
		step, err := planRule(r, revisions[r.Template], schemas[r.Template], on.rules)
		if err != nil {
			return nil, err
		}
		called[r.Name] = step.input["name"].(string)
		p = append(p, step)
	}
	for _, pol := range f.policies {
		for i, name := range pol.Rules {
			if called[name] == "" {
				return nil, fmt.Errorf("%w: policy %s names rule %s, which is neither in the folder nor on the server", errWrongCall, pol.Name, name)
			}
			pol.Rules[i] = called[name]
		}
		step, err := planPolicy(pol, on.policies)
		if err != nil {
			return nil, err
		}
		p = append(p, step)
	}
	return p, nil
}

func planTemplate(t folderTemplate, now *serverTemplate) planned {
	input := map[string]any{"name": t.Name, "category": t.Category, "rego": t.Rego, "parametersSchema": t.Schema, "tests": t.Tests}
	for name, text := range map[string]*string{"title": t.Title, "description": t.Description, "remediation": t.Remediation} {
		if text != nil {
			input[name] = *text
		}
	}
	if t.Controls != nil {
		input["controls"] = t.Controls
	}
	p := planned{Kind: "template", Name: t.Name, Action: planMake, operation: "CreatePolicyTemplate", document: makeTemplate, input: input}
	if now == nil {
		return p
	}
	differs := func(given *string, is string) bool { return given != nil && *given != is }
	var changed []string
	for _, field := range []struct {
		name    string
		differs bool
	}{
		{"rego", t.Rego != now.Rego},
		{"parametersSchema", !sameJSON(t.Schema, now.Schema)},
		{"tests", t.Tests != now.Tests},
		{"category", t.Category != now.Category},
		{"title", differs(t.Title, now.Title)},
		{"description", differs(t.Description, now.Description)},
		{"remediation", differs(t.Remediation, now.Remediation)},
		{"controls", t.Controls != nil && !slices.Equal(t.Controls, now.Controls)},
	} {
		if field.differs {
			changed = append(changed, field.name)
		}
	}
	if changed == nil {
		return planned{Kind: "template", Name: t.Name, Action: planKeep, Detail: fmt.Sprintf("revision %d", now.Revision)}
	}
	p.Action, p.Detail = planChange, fmt.Sprintf("%s; revision %d becomes %d", strings.Join(changed, ", "), now.Revision, now.Revision+1)
	difference := func(file, from, to string) string {
		return unifiedDiff(fmt.Sprintf("%s/%s (revision %d)", t.Name, file, now.Revision), t.Name+"/"+file, from, to)
	}
	p.Diff = difference(regoFile, now.Rego, t.Rego) + difference(testsFile, now.Tests, t.Tests)
	if !sameJSON(t.Schema, now.Schema) {
		p.Diff += difference(schemaFile, indented(now.Schema), indented(t.Schema))
	}
	return p
}

// planRule finds the rule of this name that says the same, or plans the next. A rule never changes and keeps its template's
// revision: what succeeds rule NAME is called NAME.r2, NAME.r3, and so on.
func planRule(r folderRule, revision int, schema json.RawMessage, rules []serverRule) (planned, error) {
	wanted, err := withDefaults(schema, r.Parameters)
	if err != nil {
		return planned{}, fmt.Errorf("%w: parameters of rule %s: %w", errWrongCall, r.Name, err)
	}
	step := planned{
		Kind: "rule", Name: r.Name, Action: planMake, Detail: fmt.Sprintf("on %s, revision %d", r.Template, revision), revision: revision,
		operation: "CreateRule", document: makeRule, input: map[string]any{"name": r.Name, "template": r.Template, "parameters": r.Parameters},
	}
	newest, same := 0, 0
	for _, there := range rules {
		n := successor(r.Name, there.Name)
		if n == 0 {
			continue
		}
		newest = max(newest, n)
		if there.Template.Name == r.Template && there.Template.Revision == revision && sameJSON(there.Parameters, wanted) {
			same = max(same, n)
		}
	}
	switch {
	case same > 0:
		name := succession(r.Name, same)
		return planned{Kind: "rule", Name: r.Name, Action: planKeep, Detail: known(name, r.Name), input: map[string]any{"name": name}}, nil
	case newest > 0:
		name := succession(r.Name, newest+1)
		step.Action, step.input["name"] = planChange, name
		step.Detail = "becomes " + name + ", " + step.Detail
	}
	return step, nil
}

// known names a rule where it has another name on the server.
func known(name, here string) string {
	if name == here {
		return ""
	}
	return "is " + name
}

// successor tells the how-manieth of a name another one is; 0 for none.
func successor(name, other string) int {
	if other == name {
		return 1
	}
	suffix, ok := strings.CutPrefix(other, name+".r")
	n, err := strconv.Atoi(suffix)
	if !ok || err != nil || n < 2 || strconv.Itoa(n) != suffix {
		return 0
	}
	return n
}

func succession(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s.r%d", name, n)
}

// sameJSON compares two JSON values by what they mean.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// indented spells a JSON value for people, with its members in the order of their names.
func indented(raw json.RawMessage) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return string(raw)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return string(raw)
	}
	return b.String()
}

// withDefaults fills the defaults of a schema in, as the server does: for properties of objects that are there, at any depth.
func withDefaults(schema, parameters json.RawMessage) (json.RawMessage, error) {
	var s map[string]any
	var v any
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(parameters, &v); err != nil {
		return nil, err
	}
	return json.Marshal(filled(s, s, v, 0))
}

// maxSchemaDepth ends a schema that refers to itself: the server refuses it.
const maxSchemaDepth = 64

func filled(root, schema map[string]any, v any, depth int) any {
	if depth > maxSchemaDepth {
		return v
	}
	if to := referred(root, schema); to != nil {
		v = filled(root, to, v, depth+1)
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			property, _ := p.(map[string]any)
			if _, given := v[name]; !given {
				d, there := defaultOf(root, property)
				if !there {
					continue
				}
				v[name] = d
			}
			v[name] = filled(root, property, v[name], depth+1)
		}
	case []any:
		if items, ok := schema["items"].(map[string]any); ok {
			for i := range v {
				v[i] = filled(root, items, v[i], depth+1)
			}
		}
	}
	return v
}

// referred follows a reference within a schema; nil for none.
func referred(root, schema map[string]any) map[string]any {
	ref, _ := schema["$ref"].(string)
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	at := root
	for name := range strings.SplitSeq(pointer, "/") {
		at, _ = at[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)].(map[string]any)
	}
	return at
}

func defaultOf(root, schema map[string]any) (any, bool) {
	for depth := 0; schema != nil && depth < maxSchemaDepth; depth++ {
		if d, there := schema["default"]; there {
			b, err := json.Marshal(d) // a copy of its own
			if err != nil {
				return nil, false
			}
			var own any
			err = json.Unmarshal(b, &own)
			return own, err == nil
		}
		schema = referred(root, schema)
	}
	return nil, false
}
