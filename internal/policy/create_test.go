package policy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestPolicyIsMade(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some", "more")
		made, err := w.svc.CreatePolicy(w.both, policyInput("both", onProjects("shop", "payments"), onlyFor("CRITICAL", "HIGH", "HIGH"),
			func(in *policy.CreatePolicyInput) {
				in.Rules = []string{"more", "some"}
				in.Scope.Labels = []*labels.Label{{Key: "tier", Value: "1"}, {Key: "pci", Value: "yes"}, {Key: "tier", Value: "1"}}
			}))
		if err != nil {
			t.Fatal(err)
		}
		if made.Revision != 1 || !made.Latest || !made.Enabled || !made.Waivable || made.Mode != gatepolicy.ModeBLOCK || len(made.Edges.Rules) != 2 {
			t.Errorf("got %+v", made)
		}
		if made.Edges.Rules[0].Edges.Template == nil {
			t.Error("the rules came without their templates")
		}
		sc, err := w.svc.Scope(w.both, made)
		if err != nil {
			t.Fatal(err)
		}
		want := "PROJECT; projects payments, shop; labels pci=yes, tier=1; criticality HIGH, CRITICAL"
		if sc.String() != want {
			t.Errorf("got scope %s, want %s", sc, want)
		}
		e := w.events()[3]
		if e.Type != "POLICY_CREATED" || e.Project != "" || e.Changes["scope"][1] != want || e.Changes["rules"][1] != "more, some" ||
			e.Summary != "policy both was made: BLOCK at the ENTRY gate of QA" {
			t.Errorf("got event %+v", e)
		}
		t.Run("a rule may stand in several policies", func(t *testing.T) {
			w.policy(policyInput("second"))
			first, err := w.svc.Policy(w.both, "both")
			if err != nil || len(first.Edges.Rules) != 2 {
				t.Errorf("got %v, %v, want both rules still on the first policy", first, err)
			}
		})
	})
}

func TestPolicyEventsBelongToTheProjectThatThePolicyBinds(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.rules("some")
	cases := []struct {
		name                 string
		scope                func(*policy.CreatePolicyInput)
		project, application string
	}{
		{"one project", onProjects("shop"), "shop", ""},
		{"two projects", onProjects("shop", "payments"), "", ""},
		{"one application", onApplications("checkout"), "payments", "checkout"},
		{"two applications of a project", onApplications("checkout", "ledger"), "payments", ""},
		{"applications of two projects", onApplications("checkout", "web"), "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w.policy(policyInput(c.name, c.scope))
			events := w.events()
			if e := events[len(events)-1]; e.Project != c.project || e.Application != c.application {
				t.Errorf("got project %q and application %q", e.Project, e.Application)
			}
		})
	}
}

func TestPolicyIsRefused(t *testing.T) {
	type change = func(*policy.CreatePolicyInput)
	rules := func(names ...string) change { return func(in *policy.CreatePolicyInput) { in.Rules = names } }
	keys := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("key-%d", i)
		}
		return list
	}
	tags := func(n int, key, value string) change {
		return func(in *policy.CreatePolicyInput) {
			for range n {
				in.Scope.Labels = append(in.Scope.Labels, &labels.Label{Key: key, Value: value})
			}
		}
	}
	refusals := []struct {
		name       string
		change     change
		path, says string
	}{
		{"a name that is empty", func(in *policy.CreatePolicyInput) { in.Name = "" }, "input.name", "at least 1"},
		{"a name of 256 characters", func(in *policy.CreatePolicyInput) { in.Name = strings.Repeat("n", 256) }, "input.name", "at most 255"},
		{"a mode that is none", func(in *policy.CreatePolicyInput) { in.Mode = "SHOUT" }, "input.mode", "none of the values"},
		{"no rules", rules(), "input.rules", "1 to 50"},
		{"51 rules", rules(keys(51)...), "input.rules", "at most 50"},
		{"a rule twice", rules("some", "some"), "input.rules.1", "twice"},
		{"a rule that is not there", rules("some", "none"), "input.rules.1", `no rule "none"`},

		{"a stage that is not there", at("MARS", "ENTRY"), "input.gate.stage", `no stage "MARS"`},
		{"no stage", at("", "ENTRY"), "input.gate.stage", "at least 1"},
		{"a stage of another project than those in scope", all(at("CANARY", "ENTRY"), onProjects("payments")), "input.gate.stage", `no stage "CANARY"`},
		{"a stage of another project than the applications'", all(at("CANARY", "ENTRY"), onApplications("ledger")), "input.gate.stage", `no stage "CANARY"`},
		{"a side that is none", at("QA", "ROOF"), "input.gate.kind", "none of the values"},
		{"the release gate of a stage that releases nothing", at("QA", "RELEASE"), "input.gate.kind", "not a release stage"},
		{"the release gate of a stage of code", at("DEV", "RELEASE"), "input.gate.kind", "use ENTRY or EXIT"},
		{"the entry of the release stage, which is judged by the release gate", at("PROD", "ENTRY"), "input.gate.kind", "use RELEASE"},

		{"a scope that is none", func(in *policy.CreatePolicyInput) { in.Scope.Type = "MOON" }, "input.scope.type", "none of the values"},
		{"everybody, and a project", func(in *policy.CreatePolicyInput) { in.Scope.ProjectKeys = []string{"shop"} }, "input.scope.projectKeys", "does not take"},
		{"everybody, and an application", func(in *policy.CreatePolicyInput) { in.Scope.ApplicationKeys = []string{"web"} }, "input.scope.applicationKeys", "does not take"},
		{"a project, and an application", all(onProjects("shop"), func(in *policy.CreatePolicyInput) { in.Scope.ApplicationKeys = []string{"web"} }), "input.scope.applicationKeys", "does not take"},
		{"projects, but none", onProjects(), "input.scope.projectKeys", "needs 1 to 100"},
		{"applications, but none", onApplications(), "input.scope.applicationKeys", "needs 1 to 100"},
		{"101 projects", onProjects(keys(101)...), "input.scope.projectKeys", "at most 100"},
		{"101 applications", onApplications(keys(101)...), "input.scope.applicationKeys", "at most 100"},
		{"a project twice", onProjects("shop", "shop"), "input.scope.projectKeys.1", "twice"},
		{"a key that is none", onProjects("shop", "Shop!"), "input.scope.projectKeys.1", "matches"},
		{"a project that is not there", onProjects("shop", "attic"), "input.scope.projectKeys.1", `no project "attic"`},
		{"an application that is not there", onApplications("web", "attic"), "input.scope.applicationKeys.1", `no application "attic"`},
		{"21 labels", tags(21, "a", "b"), "input.scope.labels", "at most 20"},
		{"a label without a key", tags(1, "", "b"), "input.scope.labels.0.key", "at least 1"},
		{"a label that ends badly", tags(1, "a", "b-"), "input.scope.labels.0.value", "start and end"},
		{"a criticality that is none", onlyFor("HIGH", "DIRE"), "input.scope.criticality.1", "none of the values"},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				w.refused(t, fault.BadInput, r.path, r.says, func() error {
					_, err := w.svc.CreatePolicy(w.admin, policyInput("wrong", r.change))
					return err
				})
			})
		}
		t.Run("a name that is taken", func(t *testing.T) {
			w.policy(policyInput("taken"))
			w.refused(t, fault.Conflict, "input.name", "choose another name", func() error {
				_, err := w.svc.CreatePolicy(w.admin, policyInput("taken"))
				return err
			})
		})
		t.Run("gates that are judged are accepted", func(t *testing.T) {
			for i, gate := range []func(*policy.CreatePolicyInput){at("DEV", "EXIT"), at("PROD", "RELEASE"), at("CANARY", "ENTRY"), all(at("CANARY", "EXIT"), onApplications("web"))} {
				w.policy(policyInput(fmt.Sprint("good ", i), gate))
			}
		})
	})
}

func TestRule44_PoliciesAreMadeByWhoManagesAllThatTheyReach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		refusals := []struct {
			name  string
			who   context.Context
			scope func(*policy.CreatePolicyInput)
			kind  fault.Kind
			path  string
			says  string
		}{
			{"nobody", w.nobody, onProjects("payments"), fault.Unauthenticated, "", "token"},
			{"who only looks", w.viewer, onProjects("payments"), fault.Forbidden, "", "createPolicy needs"},
			{"a project's manager, for everybody", w.payments, onlyFor(), fault.Forbidden, "", "on the organisation"},
			{"a project's manager, for a project that does not exist for them", w.payments, onProjects("payments", "shop"), fault.BadInput, "input.scope.projectKeys.1", `no project "shop"`},
			{"a project's manager, for an application that does not exist for them", w.payments, onApplications("web"), fault.BadInput, "input.scope.applicationKeys.0", `no application "web"`},
			{"a manager elsewhere who only looks here", w.looksHere(), onProjects("payments"), fault.Forbidden, "input.scope.projectKeys.0", "on this project"},
			{"a manager elsewhere who only looks at the application", w.looksHere(), onApplications("ledger"), fault.Forbidden, "input.scope.applicationKeys.0", "on this project"},
			{"a project's manager, for a stage that does not exist for them", w.payments, all(onProjects("payments"), at("CANARY", "ENTRY")), fault.BadInput, "input.gate.stage", `no stage "CANARY"`},
		}
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				w.refused(t, r.kind, r.path, r.says, func() error {
					_, err := w.svc.CreatePolicy(r.who, policyInput("wrong", r.scope))
					return err
				})
			})
		}
		t.Run("a project's manager, for the project and for an application in it", func(t *testing.T) {
			for _, scope := range []func(*policy.CreatePolicyInput){onProjects("payments"), onApplications("ledger", "checkout")} {
				if _, err := w.svc.CreatePolicy(w.payments, policyInput(string(gatepolicy.ScopeTypePROJECT)+fmt.Sprint(len(w.events())), scope)); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

func TestRule45_ScopesShowNothingThatDoesNotExistForTheReader(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		w.policy(policyInput("everybody"))
		w.policy(policyInput("two", onProjects("payments", "shop")))
		w.policy(policyInput("elsewhere", onApplications("web")))
		w.policy(policyInput("apps", onApplications("web", "ledger"), onlyFor("HIGH")))

		page, err := w.svc.Policies(w.payments, nil, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Edges {
			sc, err := w.svc.Scope(w.payments, e.Node)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Node.Name+": "+sc.String())
		}
		want := []string{"everybody: GLOBAL", "two: PROJECT; projects payments", "apps: APPLICATION; applications ledger; criticality HIGH"}
		if fmt.Sprint(got) != fmt.Sprint(want) || page.TotalCount != 3 {
			t.Errorf("got %d: %q, want %q", page.TotalCount, got, want)
		}
		if p, err := w.svc.Policy(w.payments, "elsewhere"); p != nil || err != nil {
			t.Errorf("got %v, %v, want nothing", p, err)
		}
		if p, err := w.svc.Policy(w.nobody, "everybody"); p != nil || err != nil {
			t.Errorf("nobody got %v, %v, want nothing", p, err)
		}
		t.Run("of a policy that was read without its targets, too", func(t *testing.T) {
			bare, err := w.st.Read().GatePolicy.Query().Where(gatepolicy.Name("two")).Only(w.payments)
			if err != nil {
				t.Fatal(err)
			}
			if sc, err := w.svc.Scope(w.payments, bare); err != nil || sc.String() != "PROJECT; projects payments" {
				t.Errorf("got %s, %v", sc, err)
			}
		})
	})
}
