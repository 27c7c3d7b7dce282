package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestRuleIsMadeWithDefaultsFilledIn(t *testing.T) {
	cases := []struct{ name, given, want string }{
		{"defaults of parameters that are not given", `{"least": 2}`, `{"least":2,"level":"HIGH"}`},
		{"what is given stays", `{"level":"LOW","least":2}`, `{"least":2,"level":"LOW"}`},
		{"defaults within an object that is given", `{"least":2,"where":{}}`, `{"least":2,"level":"HIGH","where":{"zone":"eu"}}`},
		{"numbers are written one way", `{"least": 2.0e0}`, `{"least":2,"level":"HIGH"}`},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.template("minimum")
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				made, err := w.svc.CreateRule(w.payments, policy.CreateRuleInput{Name: fmt.Sprint("rule ", i), Template: "minimum", Parameters: json.RawMessage(c.given)})
				if err != nil {
					t.Fatal(err)
				}
				if made.Parameters != c.want || made.Edges.Template.Name != "minimum" {
					t.Errorf("got %s on %v, want %s", made.Parameters, made.Edges.Template, c.want)
				}
				events := w.events()
				if e := events[len(events)-1]; e.Type != "RULE_CREATED" || e.Changes["parameters"][1] != c.want || e.Changes["template"][1] != "minimum, revision 1" {
					t.Errorf("got event %+v", e)
				}
			})
		}
	})
}

func TestRuleKeepsItsRevisionWhenTheTemplateGetsAnother(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.rules("old")
	in := templateInput("minimum")
	in.Title = ptr("Another")
	if _, err := w.svc.CreateTemplate(w.admin, in); err != nil {
		t.Fatal(err)
	}
	made, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: "new", Template: "minimum", Parameters: json.RawMessage(`{"least":1}`)})
	if err != nil || made.Edges.Template.Revision != 2 {
		t.Errorf("got %v, %v, want the newest revision", made, err)
	}
	page, err := w.svc.Rules(w.viewer, nil, nil, nil, nil)
	if err != nil || page.TotalCount != 2 || page.Edges[0].Node.Name != "old" || page.Edges[0].Node.Edges.Template.Revision != 1 {
		t.Errorf("got %+v, %v, want the old rule first, on revision 1", page, err)
	}
}

func TestRule19_ParametersThatDoNotObeyTheSchemaAreRefused(t *testing.T) {
	refusals := []struct{ name, given, says, pointer string }{
		{"none at all", ``, "expected one JSON value", ""},
		{"no JSON", `{least: 1}`, "JSON", ""},
		{"two values", `{"least":1}{"least":2}`, "one JSON value", ""},
		{"a key twice", `{"least":1,"least":2}`, "duplicate", ""},
		{"null", `null`, "must be a JSON object", ""},
		{"a list", `[1]`, "must be a JSON object", ""},
		{"one that is required is missing", `{}`, "least", ""},
		{"the wrong type", `{"least":"1"}`, "/least: got string, want integer", "/least"},
		{"half of an integer", `{"least":0.5}`, "/least", "/least"},
		{"out of range", `{"least":-1}`, "/least: minimum", "/least"},
		{"none of the values", `{"least":1,"level":"MEDIUM"}`, "/level", "/level"},
		{"the wrong type deeper down", `{"least":1,"where":{"zone":7}}`, "/where/zone", "/where/zone"},
		{"a parameter that is misspelt", `{"least":1,"levle":"LOW"}`, "/levle: the template has no such parameter; it takes least, level, where", "/levle"},
		{"a name that needs escaping", `{"least":1,"a/b~c":1}`, "/a~1b~0c: the template", "/a~1b~0c"},
		{"too deep", `{"least":1,"where":` + strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40) + `}`, "deeper than 32", ""},
		{"over 64 KiB", `{"least":1,"where":{"zone":"` + strings.Repeat("z", 64<<10) + `"}}`, "limit is 65536", ""},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("taken")
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				f := w.refused(t, fault.BadInput, "input.parameters", r.says, func() error {
					_, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: "wrong", Template: "minimum", Parameters: json.RawMessage(r.given)})
					return err
				})
				problems, ok := f.Details["problems"].([]policy.Problem)
				if !ok || len(problems) == 0 || problems[0].Pointer != r.pointer {
					t.Errorf("got details %v, want the pointer %q", f.Details, r.pointer)
				}
			})
		}
		others := []struct {
			name, rule, template string
			kind                 fault.Kind
			path, says           string
		}{
			{"a name that is empty", "", "minimum", fault.BadInput, "input.name", "at least 1"},
			{"a name with a line break", "a\nb", "minimum", fault.BadInput, "input.name", "one line"},
			{"a name that is taken", "taken", "minimum", fault.Conflict, "input.name", "choose another name"},
			{"a template that is not there", "new", "maximum", fault.BadInput, "input.template", `no policy template "maximum"`},
		}
		for _, o := range others {
			t.Run(o.name, func(t *testing.T) {
				w.refused(t, o.kind, o.path, o.says, func() error {
					_, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: o.rule, Template: o.template, Parameters: json.RawMessage(`{"least":1}`)})
					return err
				})
			})
		}
		t.Run("who only looks", func(t *testing.T) {
			w.refused(t, fault.Forbidden, "", "createRule needs", func() error {
				_, err := w.svc.CreateRule(w.viewer, policy.CreateRuleInput{Name: "new", Template: "minimum", Parameters: json.RawMessage(`{"least":1}`)})
				return err
			})
		})
	})
}

func FuzzTemplateSchemaAndParameters(f *testing.F) {
	f.Add([]byte(parameters), []byte(`{"least":1}`))
	f.Add([]byte(`{"type":"object"}`), []byte(`{}`))
	f.Add([]byte(`{"type":"object","properties":{"p":{"$ref":"#/$defs/a"}},"$defs":{"a":{"default":{"x":[{}]}}}}`), []byte(`{"p":null}`))
	f.Add([]byte(`{"type":"object","properties":{"p":{"items":{"properties":{"q":{"default":1}}}}}}`), []byte(`{"p":[{},1,[]]}`))
	f.Add([]byte(`{"type":"object","properties":false}`), []byte(`[`))
	f.Add([]byte(`{"type":"object","properties":{"p":{"multipleOf":1e-400}}}`), []byte(`{"p":1e400}`))
	w := newWorld(f, testdb.SQLite(f))
	n := 0
	f.Fuzz(func(t *testing.T, schema, given []byte) {
		n++
		name := fmt.Sprint("fuzz ", n)
		in := templateInput(name)
		in.ParametersSchema = schema
		if _, err := w.svc.CreateTemplate(w.admin, in); !expected(err) {
			t.Fatalf("template: %v", err)
		} else if err != nil {
			return
		}
		made, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: name, Template: name, Parameters: given})
		if !expected(err) {
			t.Fatalf("rule: %v", err)
		}
		if err != nil {
			return
		}
		again, err := canonical.Normalize([]byte(made.Parameters))
		if err != nil || string(again) != made.Parameters {
			t.Errorf("%s is not canonical: %v", made.Parameters, err)
		}
		// What was accepted is complete: sent again it stays as it is.
		second, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: name + " again", Template: name, Parameters: again})
		if err != nil || second.Parameters != made.Parameters {
			t.Errorf("%s became %v: %v", made.Parameters, second, err)
		}
	})
}

// expected tells whether err is nil or a refusal.
func expected(err error) bool {
	_, refused := errors.AsType[*fault.Error](err)
	return err == nil || refused
}
