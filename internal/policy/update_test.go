package policy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestPolicyIsChangedByItsNextRevision(t *testing.T) {
	shop := policy.PolicyScopeInput{Type: gatepolicy.ScopeTypePROJECT, ProjectKeys: []string{"shop"}, Labels: []*labels.Label{{Key: "tier", Value: "1"}}}
	cases := []struct {
		name    string
		change  policy.UpdatePolicyInput
		changes map[string][2]string
	}{
		{"the mode", policy.UpdatePolicyInput{Mode: ptr(gatepolicy.ModeWARN)}, map[string][2]string{"mode": {"BLOCK", "WARN"}}},
		{"whether it is applied", policy.UpdatePolicyInput{Enabled: ptr(false)}, map[string][2]string{"enabled": {"true", "false"}}},
		{"whether it may be waived", policy.UpdatePolicyInput{Waivable: ptr(false)}, map[string][2]string{"waivers": {"approved by 1, for at most 90 days", "none"}}},
		{"the rules", policy.UpdatePolicyInput{Rules: []string{"some", "more"}}, map[string][2]string{"rules": {"some", "more, some"}}},
		{"the scope", policy.UpdatePolicyInput{Scope: &shop}, map[string][2]string{
			"scope": {"PROJECT; projects payments, shop", "PROJECT; projects shop; labels tier=1"},
		}},
		{"several at once", policy.UpdatePolicyInput{Mode: ptr(gatepolicy.ModeWARN), Enabled: ptr(true), Rules: []string{"more"}}, map[string][2]string{
			"mode": {"BLOCK", "WARN"}, "rules": {"some", "more"},
		}},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some", "more")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				first := w.policy(policyInput(c.name, onProjects("payments", "shop")))
				c.change.Name = c.name
				second, err := w.svc.UpdatePolicy(w.both, c.change)
				if err != nil {
					t.Fatal(err)
				}
				if second.Revision != 2 || !second.Latest || second.ID == first.ID {
					t.Errorf("got %+v", second)
				}
				events := w.events()
				e := events[len(events)-1]
				c.changes["revision"] = [2]string{"1", "2"}
				if e.Type != "POLICY_UPDATED" || !maps.Equal(e.Changes, c.changes) {
					t.Errorf("got event %+v, want %v", e, c.changes)
				}
				old, err := w.st.Read().GatePolicy.Query().Where(gatepolicy.ID(first.ID)).WithRules().WithTargets().Only(w.admin)
				if err != nil || old.Latest || old.Mode != first.Mode || old.Enabled != first.Enabled || len(old.Edges.Rules) != 1 || len(old.Edges.Targets) != 2 {
					t.Errorf("the revision before became %+v, %v", old, err)
				}
				if now, err := w.svc.Policy(w.admin, c.name); err != nil || now.ID != second.ID {
					t.Errorf("in force is %v, %v", now, err)
				}
			})
		}
	})
}

func TestPolicyThatWouldNotChangeIsLeftAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some", "more")
		first := w.policy(policyInput("still", onProjects("shop", "payments"), func(in *policy.CreatePolicyInput) { in.Rules = []string{"some", "more"} }))
		before := w.rows()
		for name, same := range map[string]policy.UpdatePolicyInput{
			"nothing is given":               {},
			"all is as it is":                {Mode: ptr(gatepolicy.ModeBLOCK), Enabled: ptr(true), Waivable: ptr(true)},
			"the rules in another order":     {Rules: []string{"more", "some"}},
			"the projects in another order":  {Scope: &policy.PolicyScopeInput{Type: gatepolicy.ScopeTypePROJECT, ProjectKeys: []string{"payments", "shop"}}},
			"the projects in the same order": {Scope: &policy.PolicyScopeInput{Type: gatepolicy.ScopeTypePROJECT, ProjectKeys: []string{"shop", "payments"}}},
		} {
			same.Name = "still"
			got, err := w.svc.UpdatePolicy(w.both, same)
			if err != nil || got.ID != first.ID || !maps.Equal(before, w.rows()) {
				t.Errorf("%s: got %v, %v, and %v rows", name, got, err, w.rows())
			}
		}
	})
}

func TestPolicyChangeIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		w.policy(policyInput("everybody"))
		w.policy(policyInput("payments", onProjects("payments")))
		w.policy(policyInput("both", onProjects("payments", "shop")))
		w.policy(policyInput("web", onApplications("web")))
		w.policy(policyInput("canary", onProjects("shop"), at("CANARY", "ENTRY")))
		warn := ptr(gatepolicy.ModeWARN)
		to := func(in func(*policy.CreatePolicyInput)) *policy.PolicyScopeInput {
			c := policyInput("", in)
			return &c.Scope
		}
		refusals := []struct {
			name       string
			who        context.Context
			change     policy.UpdatePolicyInput
			kind       fault.Kind
			path, says string
		}{
			{"nobody", w.nobody, policy.UpdatePolicyInput{Name: "everybody", Mode: warn}, fault.Unauthenticated, "", "token"},
			{"who only looks", w.viewer, policy.UpdatePolicyInput{Name: "payments", Mode: warn}, fault.Forbidden, "", "updatePolicy needs"},
			{"a policy that is not there", w.admin, policy.UpdatePolicyInput{Name: "none", Mode: warn}, fault.NotFound, "input.name", `no policy "none"`},
			{"a policy that does not exist for them", w.payments, policy.UpdatePolicyInput{Name: "web", Mode: warn}, fault.NotFound, "input.name", `no policy "web"`},
			{"a project's manager, on everybody's policy", w.payments, policy.UpdatePolicyInput{Name: "everybody", Mode: warn}, fault.Forbidden, "", "on the organisation"},
			{"a project's manager, on one that reaches further", w.payments, policy.UpdatePolicyInput{Name: "both", Mode: warn}, fault.Forbidden, "", "on everything that the policy reaches"},
			{"a project's manager who would take it off the other project", w.payments, policy.UpdatePolicyInput{Name: "both", Scope: to(onProjects("payments"))}, fault.Forbidden, "", "on everything that the policy reaches"},
			{"a project's manager who would reach everybody", w.payments, policy.UpdatePolicyInput{Name: "payments", Scope: to(onlyFor())}, fault.Forbidden, "", "on the organisation"},
			{"a project's manager who would reach another project", w.payments, policy.UpdatePolicyInput{Name: "payments", Scope: to(onProjects("shop"))}, fault.BadInput, "input.scope.projectKeys.0", `no project "shop"`},
			{"a mode that is none", w.admin, policy.UpdatePolicyInput{Name: "both", Mode: ptr(gatepolicy.Mode("SHOUT"))}, fault.BadInput, "input.mode", "none of the values"},
			{"no rules any more", w.admin, policy.UpdatePolicyInput{Name: "both", Rules: []string{}}, fault.BadInput, "input.rules", "1 to 50"},
			{"a rule that is not there", w.admin, policy.UpdatePolicyInput{Name: "both", Rules: []string{"none"}}, fault.BadInput, "input.rules.0", `no rule "none"`},
			{"a scope that names nothing", w.admin, policy.UpdatePolicyInput{Name: "both", Scope: to(onApplications())}, fault.BadInput, "input.scope.applicationKeys", "needs 1 to 100"},
			{"a scope from which nobody comes to the gate", w.admin, policy.UpdatePolicyInput{Name: "canary", Scope: to(onProjects("payments"))}, fault.BadInput, "input.scope", `no stage "CANARY"`},
		}
		for _, r := range refusals {
			t.Run(r.name, func(t *testing.T) {
				f := w.refused(t, r.kind, r.path, r.says, func() error {
					_, err := w.svc.UpdatePolicy(r.who, r.change)
					return err
				})
				if r.kind == fault.Forbidden && len(f.Details) > 0 {
					t.Errorf("the refusal tells more than it should: %v", f.Details)
				}
			})
		}
	})
}

func TestRule45_AChangeKeepsWhatItsMakerDoesNotSee(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.rules("some")
	w.policy(policyInput("both", onProjects("payments", "shop")))
	if _, err := w.svc.UpdatePolicy(w.both, policy.UpdatePolicyInput{Name: "both", Mode: ptr(gatepolicy.ModeWARN)}); err != nil {
		t.Fatal(err)
	}
	p, err := w.svc.Policy(w.admin, "both")
	if err != nil {
		t.Fatal(err)
	}
	if sc, err := w.svc.Scope(w.admin, p); err != nil || sc.String() != "PROJECT; projects payments, shop" {
		t.Errorf("got %s, %v", sc, err)
	}
}

func TestOfTwoChangesFromOneRevisionOneWins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		w.policy(policyInput("wanted"))
		const rivals = 4
		read := &meeting{of: rivals, all: make(chan struct{})}
		errs := make([]error, rivals)
		var done sync.WaitGroup
		for i := range rivals {
			// Each service asks its clock once it has read, before it writes.
			svc := policy.New(w.st, w.log(), read.clock)
			done.Go(func() {
				change := policy.UpdatePolicyInput{Name: "wanted", Mode: ptr(gatepolicy.ModeWARN), Waivable: ptr(i%2 == 0)}
				_, errs[i] = svc.UpdatePolicy(w.admin, change)
			})
		}
		done.Wait()
		won := 0
		for _, err := range errs {
			f, refused := errors.AsType[*fault.Error](err)
			switch {
			case err == nil:
				won++
			case !refused || f.Kind != fault.Conflict:
				t.Errorf("got %v, want CONFLICT", err)
			}
		}
		if n := w.rows(); won != 1 || n["policies"] != 2 || n["in force"] != 1 {
			t.Errorf("%d of %d won and left %v", won, rivals, n)
		}
		if events := w.events(); fmt.Sprint(len(events)) != "4" {
			t.Errorf("got %d events, want the template, the rule, the policy and one change", len(events))
		}
	})
}

// meeting is a clock that answers once all have asked.
type meeting struct {
	mu    sync.Mutex
	of, n int
	all   chan struct{}
}

func (m *meeting) clock() time.Time {
	m.mu.Lock()
	if m.n++; m.n == m.of {
		close(m.all)
	}
	m.mu.Unlock()
	<-m.all
	return instant
}
