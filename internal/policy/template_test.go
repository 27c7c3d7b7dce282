package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/policies"
)

func TestTemplateIsAdded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		first := w.template("minimum")
		if first.Revision != 1 || first.Digest != canonical.Digest([]byte(source)) || first.CreatedBy == nil {
			t.Errorf("got revision %d, digest %s, created by %v", first.Revision, first.Digest, first.CreatedBy)
		}
		e := w.events()[0]
		if e.Type != "POLICY_TEMPLATE_CREATED" || e.Subject != "minimum" || e.Changes["rego"][1] != first.Digest {
			t.Errorf("got event %+v", e)
		}

		before := w.rows()
		again := w.template("minimum")
		if again.ID != first.ID || w.rows()["events"] != before["events"] {
			t.Errorf("the same content made revision %d and %d more events", again.Revision, w.rows()["events"]-before["events"])
		}

		in := templateInput("minimum")
		in.Title = ptr("At least so many")
		second, err := w.svc.CreateTemplate(w.payments, in)
		if err != nil || second.Revision != 2 || second.Title != "At least so many" {
			t.Errorf("got %+v, %v, want revision 2", second, err)
		}
		if third := w.template("minimum"); third.Revision != 3 {
			t.Errorf("content of an old revision gave revision %d, want 3", third.Revision)
		}
	})
}

func TestTemplateTakesItsTextsFromMetadataUnlessTheyAreGiven(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	in := templateInput("described")
	in.Rego = "# METADATA\n# title: From the source\n# description: Says a lot.\n# custom:\n#   remediation: Do it.\n#   controls: [A 1]\n" + source
	in.Title = ptr("Given")
	made, err := w.svc.CreateTemplate(w.admin, in)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{made.Title, made.Description, made.Remediation, strings.Join(made.Controls, ",")}
	want := []string{"Given", "Says a lot.", "Do it.", "A 1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRule22_TemplatesThatCannotBeEvaluatedAreRefused(t *testing.T) {
	const sets = "examined contains \"x\" if true\nviolations contains v if some v in input.contents\n"
	type change = func(*policy.CreatePolicyTemplateInput)
	rego := func(s string) change { return func(in *policy.CreatePolicyTemplateInput) { in.Rego = s } }
	schema := func(s string) change {
		return func(in *policy.CreatePolicyTemplateInput) { in.ParametersSchema = json.RawMessage(s) }
	}
	properties := func(s string) change { return schema(`{"type":"object","properties":` + s + `}`) }
	many := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`"p%d":{}`, i)
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	// Each definition uses the next one twice.
	doubling := `"d30":{"type":"string"}`
	for i := 29; i >= 0; i-- {
		doubling += fmt.Sprintf(`,"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1)
	}
	refusals := []struct {
		name       string
		change     change
		path, says string
	}{
		{"a name that is empty", func(in *policy.CreatePolicyTemplateInput) { in.Name = "" }, "input.name", "at least 1"},
		{"a name of 256 characters", func(in *policy.CreatePolicyTemplateInput) { in.Name = strings.Repeat("n", 256) }, "input.name", "at most 255"},
		{"a category that is none", func(in *policy.CreatePolicyTemplateInput) { in.Category = "LUCK" }, "input.category", "none of the values"},
		{"a title of 256 characters", func(in *policy.CreatePolicyTemplateInput) { in.Title = ptr(strings.Repeat("t", 256)) }, "input.title", "at most 255"},
		{"a description of 4,001 characters", func(in *policy.CreatePolicyTemplateInput) { in.Description = ptr(strings.Repeat("t", 4001)) }, "input.description", "at most 4000"},
		{"a remediation of 2,001 characters", func(in *policy.CreatePolicyTemplateInput) { in.Remediation = ptr(strings.Repeat("t", 2001)) }, "input.remediation", "at most 2000"},
		{"51 controls", func(in *policy.CreatePolicyTemplateInput) {
			in.Controls = strings.Split(strings.Repeat("c,", 50)+"c", ",")
		}, "input.controls", "at most 50"},
		{"a control that is blank", func(in *policy.CreatePolicyTemplateInput) { in.Controls = []string{"A 1", " "} }, "input.controls.1", "blank"},
		{"a title of 256 characters in the METADATA", rego("# METADATA\n# title: " + strings.Repeat("t", 256) + "\n" + source), "input.rego", "at most 255"},

		{"no source", rego(""), "input.rego", "at least 1"},
		{"a source over 64 KiB", rego(source + "#" + strings.Repeat("x", 64<<10)), "input.rego", "at most 65536 bytes"},
		{"a source with a zero byte, which Postgres cannot keep", rego(source + "#\x00"), "input.rego", "control characters"},
		{"a source that does not parse", rego("package acme\n\nexamined contains if\n"), "input.rego", "3:"},
		{"a source without violations", rego("package acme\n\nexamined contains \"x\" if true\n"), "input.rego", "violations"},
		{"a rule that asks the network", rego("package acme\n\n" + sets + "x := http.send({\"method\": \"get\", \"url\": \"http://a\"})\n"), "input.rego", "5:6: http.send is not allowed"},
		{"a rule that reads the clock", rego("package acme\n\n" + sets + "x := time.now_ns()\n"), "input.rego", "5:6: time.now_ns is not allowed"},
		{"a rule that throws dice", rego("package acme\n\n" + sets + "x := rand.intn(\"a\", 6)\n"), "input.rego", "5:6: rand.intn is not allowed"},
		{"a rule that looks at the machine", rego("package acme\n\n" + sets + "x := opa.runtime()\n"), "input.rego", "5:6: opa.runtime is not allowed"},
		{"a rule that makes a UUID", rego("package acme\n\n" + sets + "x := uuid.rfc4122(\"a\")\n"), "input.rego", "5:6: uuid.rfc4122 is not allowed"},
		{"a rule that asks the DNS", rego("package acme\n\n" + sets + "x := net.lookup_ip_addr(\"a\")\n"), "input.rego", "5:6: net.lookup_ip_addr is not allowed"},

		{"a schema that is no JSON", schema(`{`), "input.parametersSchema", "JSON"},
		{"a schema with a key twice", schema(`{"type":"object","type":"object"}`), "input.parametersSchema", "duplicate"},
		{"a schema of something that is no object", schema(`{"type":"array"}`), "input.parametersSchema", `"type": "object"`},
		{"a schema of anything", schema(`true`), "input.parametersSchema", `"type": "object"`},
		{"a schema over 64 KiB", schema(`{"type":"object","title":"` + strings.Repeat("t", 64<<10) + `"}`), "input.parametersSchema", "limit is 65536"},
		{"a schema nested 40 deep", properties(`{"p":` + strings.Repeat(`{"not":`, 40) + `{}` + strings.Repeat(`}`, 41)), "input.parametersSchema", "deeper than 32"},
		{"a schema of an older draft", schema(`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`), "input.parametersSchema", "2020-12"},
		{"a schema that breaks its metaschema", properties(`{"p":{"type":"text"}}`), "input.parametersSchema", "/properties/p/type"},
		{"a pattern that is no regular expression", properties(`{"p":{"pattern":"("}}`), "input.parametersSchema", "regex"},
		{"21 parameters", properties(many(21)), "input.parametersSchema", "at most 20 parameters are allowed and 21"},
		{"a reference to the network", properties(`{"p":{"$ref":"https://example.com/schema"}}`), "input.parametersSchema", "/properties/p/$ref: a reference must stay within"},
		{"a reference to a file", properties(`{"p":{"$ref":"file:///etc/passwd"}}`), "input.parametersSchema", "must stay within"},
		{"a reference that an id would turn outwards", properties(`{"p":{"$id":"https://example.com/","$ref":"#/x"}}`), "input.parametersSchema", "$id is not supported"},
		{"a dynamic reference", properties(`{"p":{"$dynamicRef":"#a"}}`), "input.parametersSchema", "$dynamicRef is not supported"},
		{"a reference to nothing", properties(`{"p":{"$ref":"#/$defs/none"}}`), "input.parametersSchema", "not found"},
		{"a schema that refers to itself", schema(`{"type":"object","properties":{"p":{"$ref":"#"}}}`), "input.parametersSchema", "refers to itself"},
		{"references that double with every level", schema(`{"type":"object","properties":{"p":{"$ref":"#/$defs/d0"}},"$defs":{` + doubling + `}}`), "input.parametersSchema", "more than 10000 parts"},
		{"a default of the wrong type", properties(`{"p":{"type":"integer","default":"7"}}`), "input.parametersSchema", "/properties/p/default: the default does not obey"},
		{"a nested default out of range", properties(`{"p":{"type":"object","properties":{"q":{"minimum":3,"default":1}}}}`), "input.parametersSchema", "/properties/p/properties/q/default"},
		{"a default that is no date", properties(`{"p":{"type":"string","format":"date","default":"soon"}}`), "input.parametersSchema", "/properties/p/default"},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				in := templateInput("minimum")
				r.change(&in)
				w.refused(t, fault.BadInput, r.path, r.says, func() error {
					_, err := w.svc.CreateTemplate(w.admin, in)
					return err
				})
			})
		}
		t.Run("twenty parameters are as many as there may be", func(t *testing.T) {
			in := templateInput("twenty")
			properties(strings.Replace(many(20), `"p0"`, `"least"`, 1))(&in)
			if _, err := w.svc.CreateTemplate(w.admin, in); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestTemplateRefusalNamesEveryProblem(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	in := templateInput("wrong")
	in.Rego = "package acme\n\nexamined contains \"x\" if time.now_ns() > 0\nviolations contains \"y\" if http.send({})\n"
	f := w.refused(t, fault.BadInput, "input.rego", "3:", func() error {
		_, err := w.svc.CreateTemplate(w.admin, in)
		return err
	})
	b, err := json.Marshal(f.Details["problems"])
	if err != nil {
		t.Fatal(err)
	}
	var problems []struct {
		Row, Col      int
		Code, Message string
	}
	if err := json.Unmarshal(b, &problems); err != nil || len(problems) < 2 {
		t.Fatalf("got %s, %v", b, err)
	}
	if p := problems[1]; p.Row != 4 || p.Col < 1 || p.Code != "forbidden_builtin" {
		t.Errorf("got %+v", p)
	}
}

func TestTemplatesAreMadeByPolicyManagersOnly(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.refused(t, fault.Unauthenticated, "", "token", func() error {
		_, err := w.svc.CreateTemplate(w.nobody, templateInput("minimum"))
		return err
	})
	w.refused(t, fault.Forbidden, "", "POLICY_MANAGER", func() error {
		_, err := w.svc.CreateTemplate(w.viewer, templateInput("minimum"))
		return err
	})
	if _, err := w.svc.CreateTemplate(w.outsider, templateInput("minimum")); err != nil {
		t.Errorf("whoever manages policies of any project may make a template: %v", err)
	}
}

func TestTemplateRevisionsMadeAtOnceAreNumberedOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		ids := inParallel(4, func(int) (int, error) {
			made, err := w.svc.CreateTemplate(w.admin, templateInput("minimum"))
			if err != nil {
				return 0, err
			}
			return made.ID, nil
		}, t)
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("the same content gave rows %v", ids)
			}
		}
		if n := w.rows(); n["templates"] != 1 || n["events"] != 1 {
			t.Errorf("got %v", n)
		}
	})
}

func TestBuiltinTemplatesAreInstalledOnce(t *testing.T) {
	builtin, err := policies.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		inParallel(3, func(int) (int, error) { return 0, w.service(clock).InstallBuiltin(w.admin) }, t)
		if err := w.svc.InstallBuiltin(w.admin); err != nil {
			t.Fatal(err)
		}
		n := w.rows()
		if n["templates"] != len(builtin) || n["events"] != len(builtin) {
			t.Errorf("three programs that started at once made %v, want %d templates", n, len(builtin))
		}
		licenses := builtin[slices.IndexFunc(builtin, func(t policies.Template) bool { return t.Name == "license-allowed" })]
		made, err := w.st.Read().PolicyTemplate.Query().Where(policytemplate.Name(licenses.Name)).Only(w.viewer)
		if err != nil || made.CreatedBy != nil || made.Rego != string(licenses.Rego) {
			t.Errorf("got %+v, %v", made, err)
		}
		t.Run("a user cannot replace one", func(t *testing.T) {
			w.refused(t, fault.Conflict, "input.name", "comes with the program", func() error {
				_, err := w.svc.CreateTemplate(w.admin, templateInput(builtin[0].Name))
				return err
			})
		})
		t.Run("one that says something else than the program becomes the revision before", func(t *testing.T) {
			rule, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: "stands", Template: made.Name, Parameters: []byte(`{"deny":["MIT"]}`)})
			if err != nil || rule.TemplateID != made.ID {
				t.Fatal(rule, err)
			}
			w.write(func(ctx context.Context, tx *db.Client) error {
				return tx.PolicyTemplate.Create().SetName(made.Name).SetRevision(2).SetCategory(made.Category).SetRego("package old").
					SetParametersSchema("{}").SetDigest(canonical.Digest([]byte("package old"))).SetCreatedAt(instant).Exec(ctx)
			})
			if err := w.svc.InstallBuiltin(auth.System(w.admin)); err != nil {
				t.Fatal(err)
			}
			newest, err := w.st.Read().PolicyTemplate.Query().
				Where(policytemplate.Name(made.Name), policytemplate.Revision(3)).Only(w.viewer)
			if err != nil || newest.Rego != made.Rego {
				t.Errorf("got %v, want revision 3 with the program's source", err)
			}
			if rule := w.st.Read().Rule.GetX(w.viewer, rule.ID); rule.TemplateID != made.ID {
				t.Error("a rule left the revision that it stood on")
			}
		})
		t.Run("nobody's start is refused", func(t *testing.T) {
			other := newWorld(t, testdb.SQLite(t))
			other.refused(t, fault.Unauthenticated, "", "", func() error { return other.svc.InstallBuiltin(other.nobody) })
		})
	})
}

// inParallel runs fn n times at once and returns what it returned.
func inParallel(n int, fn func(i int) (int, error), t *testing.T) []int {
	t.Helper()
	results, errs := make([]int, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { results[i], errs[i] = fn(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	return results
}
