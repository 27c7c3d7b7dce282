package policy_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func (w *world) subject(app string, criticality string, tags ...labels.Label) policy.Subject {
	a := w.apps[app]
	return policy.Subject{ProjectID: a.ProjectID, ApplicationID: a.ID, Criticality: criticality, Labels: tags}
}

// guarding is what a policy of the combinations says, for the brute-force predicate.
type guarding struct {
	in      policy.CreatePolicyInput
	enabled bool
}

// guards says by the words of rule 24 whether the policy applies.
func (g guarding) guards(app, project, criticality string, tags []labels.Label, stage string, kind gatepolicy.GateKind) bool {
	sc := g.in.Scope
	reaches := sc.Type == gatepolicy.ScopeTypeGLOBAL || slices.Contains(sc.ProjectKeys, project) || slices.Contains(sc.ApplicationKeys, app)
	selected := len(sc.Criticality) == 0 || slices.Contains(sc.Criticality, criticality)
	for _, l := range sc.Labels {
		selected = selected && slices.Contains(tags, *l)
	}
	return g.enabled && g.in.Gate == (policy.GateInput{Stage: stage, Kind: kind}) && reaches && selected
}

func TestRule24_WhichPoliciesApplyToAGate(t *testing.T) {
	tier, pci := labels.Label{Key: "tier", Value: "1"}, labels.Label{Key: "pci", Value: "yes"}
	otherTier := labels.Label{Key: "tier", Value: "2"}
	scopes := []func(*policy.CreatePolicyInput){
		onlyFor(), onProjects("payments"), onProjects("shop"), onProjects("payments", "shop"),
		onApplications("checkout"), onApplications("ledger", "web"),
	}
	selectors := [][]*labels.Label{nil, {&tier}, {&tier, &pci}, {&otherTier}}
	criticalities := [][]string{nil, {"HIGH", "CRITICAL"}, {"LOW"}}
	gates := []policy.GateInput{{Stage: "QA", Kind: "ENTRY"}, {Stage: "QA", Kind: "EXIT"}, {Stage: "PROD", Kind: "RELEASE"}}

	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some", "more")
		var made []guarding
		for i, scope := range scopes {
			for j, selector := range selectors {
				for k, criticality := range criticalities {
					name := fmt.Sprintf("policy %d %d %d", i, j, k)
					in := policyInput(name, scope, func(in *policy.CreatePolicyInput) {
						in.Scope.Labels, in.Scope.Criticality = selector, criticality
						in.Gate = gates[(i+j+k)%len(gates)]
						in.Enabled = (i+2*j+k)%7 != 0
						in.Rules = []string{"more", "some"}
					})
					w.policy(in)
					made = append(made, guarding{in: in, enabled: in.Enabled})
				}
			}
		}
		// One revision later some are switched the other way: only the one in force counts.
		for i := range made {
			if i%5 == 0 {
				made[i].enabled = !made[i].enabled
				if _, err := w.svc.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: made[i].in.Name, Enabled: ptr(made[i].enabled)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		asked, applied := 0, 0
		for app, a := range w.apps {
			project := "payments"
			if a.ProjectID == w.projects["shop"].ID {
				project = "shop"
			}
			for _, tags := range [][]labels.Label{nil, {tier}, {pci}, {pci, tier}, {tier, otherTier, pci}, {{Key: "tier", Value: "3"}}} {
				for _, criticality := range []string{"UNSPECIFIED", "LOW", "HIGH", "CRITICAL"} {
					for _, gate := range append(gates, policy.GateInput{Stage: "DEV", Kind: "EXIT"}) {
						got, err := w.svc.Applying(w.nobody, w.st.Read(), w.subject(app, criticality, tags...), gate.Stage, gate.Kind)
						if err != nil {
							t.Fatal(err)
						}
						var want, have []string
						for _, g := range made {
							if g.guards(app, project, criticality, tags, gate.Stage, gate.Kind) {
								want = append(want, g.in.Name)
							}
						}
						for _, p := range got {
							have = append(have, p.Policy.Name)
							if len(p.Rules) != 2 || p.Rules[0].Edges.Template == nil || p.Because == "" || !p.Policy.Latest {
								t.Errorf("%s came with %d rules, because %q", p.Policy.Name, len(p.Rules), p.Because)
							}
						}
						if !slices.IsSortedFunc(got, func(a, b policy.Applicable) int { return a.Policy.ID - b.Policy.ID }) {
							t.Errorf("the policies are not in order: %v", have)
						}
						slices.Sort(want)
						slices.Sort(have)
						if !slices.Equal(want, have) {
							t.Errorf("%s, criticality %s, labels %v at the %s gate of %s:\ngot  %v\nwant %v", app, criticality, tags, gate.Kind, gate.Stage, have, want)
						}
						asked, applied = asked+1, applied+len(got)
					}
				}
			}
		}
		if applied == 0 || applied == asked*len(made) {
			t.Errorf("the combinations decide nothing: %d of %d", applied, asked*len(made))
		}
	})
}

func TestRule24_EachPolicySaysWhyItApplies(t *testing.T) {
	tag := func(list ...*labels.Label) func(*policy.CreatePolicyInput) {
		return func(in *policy.CreatePolicyInput) { in.Scope.Labels = list }
	}
	tier, pci := labels.Label{Key: "tier", Value: "1"}, labels.Label{Key: "pci", Value: "yes"}
	cases := []struct {
		because string
		in      func(*policy.CreatePolicyInput)
	}{
		{"guards every application", onlyFor()},
		{"guards every application, label tier=1", tag(&tier)},
		{"guards project payments", onProjects("shop", "payments")},
		{"guards project payments, label tier=1, criticality HIGH or CRITICAL", all(onProjects("payments"), tag(&tier), onlyFor("CRITICAL", "HIGH"))},
		{"guards application checkout", onApplications("web", "checkout")},
		{"guards application checkout, labels pci=yes and tier=1, criticality HIGH", all(onApplications("checkout"), tag(&tier, &pci), onlyFor("HIGH"))},
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		for _, c := range cases {
			w.policy(policyInput(c.because, c.in))
		}
		got, err := w.svc.Applying(w.payments, w.st.Read(), w.subject("checkout", "HIGH", tier, pci), "QA", gatepolicy.GateKindENTRY)
		if err != nil || len(got) != len(cases) {
			t.Fatalf("got %d, %v", len(got), err)
		}
		for i, c := range cases {
			if got[i].Because != c.because {
				t.Errorf("got %q, want %q", got[i].Because, c.because)
			}
		}
	})
}

func TestApplyingTakesThreeQueriesThatUseIndexes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some", "more")
		for i, scope := range []func(*policy.CreatePolicyInput){onlyFor(), onProjects("payments", "shop"), onApplications("checkout")} {
			w.policy(policyInput(fmt.Sprint("policy ", i), scope, func(in *policy.CreatePolicyInput) { in.Rules = []string{"some", "more"} }))
		}
		ask := func(ctx context.Context) error {
			got, err := w.svc.Applying(ctx, w.st.Read(), w.subject("checkout", "HIGH"), "QA", gatepolicy.GateKindENTRY)
			if err == nil && len(got) != 3 {
				err = fmt.Errorf("%d policies apply, want 3", len(got))
			}
			return err
		}
		if n := len(testdb.Plans(context.Background(), t, dsn, ask)); n > 3 {
			t.Errorf("%d queries were made", n)
		}
		testdb.NoScans(context.Background(), t, dsn, ask)
		testdb.NoScans(context.Background(), t, dsn, func(ctx context.Context) error {
			_, err := w.svc.Generation(ctx, w.st.Read())
			return err
		})
	})
}

func TestGenerationChangesWithEveryPolicy(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rules("some")
		seen := map[int]string{}
		look := func(after string) {
			t.Helper()
			n, err := w.svc.Generation(w.nobody, w.st.Read())
			if err != nil {
				t.Fatal(err)
			}
			if was, again := seen[n]; again {
				t.Errorf("the generation is the same after %s as after %s", after, was)
			}
			seen[n] = after
		}
		look("nothing")
		w.policy(policyInput("one"))
		look("a policy was made")
		w.policy(policyInput("two", onApplications("web")))
		look("another was made")
		for _, mode := range []gatepolicy.Mode{"WARN", "BLOCK"} {
			if _, err := w.svc.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "one", Mode: ptr(mode)}); err != nil {
				t.Fatal(err)
			}
			look("the mode became " + string(mode))
		}
	})
}

func TestRulesAreCompiledOnce(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.rules("some", "same")
	w.policy(policyInput("one", func(in *policy.CreatePolicyInput) { in.Rules = []string{"some", "same"} }))
	got, err := w.svc.Applying(w.admin, w.st.Read(), w.subject("web", "LOW"), "QA", gatepolicy.GateKindENTRY)
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.svc.Compiled(w.admin, got[0].Rules[0])
	if err != nil || first.Info().Package != "acme.minimum" {
		t.Fatalf("got %v, %v", first, err)
	}
	if again, err := w.svc.Compiled(w.admin, got[0].Rules[1]); err != nil || again != first {
		t.Errorf("the same template with the same parameters was compiled again: %v", err)
	}
	bare := *got[0].Rules[0]
	bare.Edges.Template = nil
	if p, err := w.svc.Compiled(w.admin, &bare); p != nil || err == nil {
		t.Error("a rule without its template was compiled")
	}
	broken := *got[0].Rules[0]
	broken.Parameters = "[]"
	if p, err := w.svc.Compiled(w.admin, &broken); p != nil || err == nil {
		t.Error("a rule whose parameters are no object was compiled")
	}
}
