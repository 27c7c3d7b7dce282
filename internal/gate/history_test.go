package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule17_WhatWasTakenBackCertifiesNothing asks with the built-in template, over the history that gates are given.
func TestRule17_WhatWasTakenBackCertifiesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if err := w.policies.InstallBuiltin(w.admin); err != nil {
			t.Fatal(err)
		}
		must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{
			Name: "certified", Template: "gate-certified", Parameters: json.RawMessage(`{"stage":"DEV","gate":"ENTRY"}`),
		}))(t)
		w.rules["certified"] = true
		w.guard("on the way", "QA", entry, block, "certified")
		v := w.version("1.0")
		certified := func(when string, want gate.Outcome) {
			t.Helper()
			j := must(w.gates.Judge(w.admin, v.ID, []*db.Stage{w.stage("QA")}, []gateKind{entry}))(t)
			if got := w.results(j.Evaluations[0])[0]; got.Outcome != want {
				t.Errorf("%s the version is certified: %s, want %s: %v", when, got.Outcome, want, got.Error)
			}
		}
		certified("before any promotion", gate.NotEvidenced)
		must(w.promote("1.0", "DEV"))(t)
		certified("after its promotion", gate.Pass)
		must(w.rollback("1.0", "DEV"))(t)
		certified("after its rollback", gate.Violated)
		must(w.promote("1.0", "DEV"))(t)
		certified("promoted again", gate.Pass)
	})
}

func TestARuleSeesTheNewest200Attempts(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		actor, _ := auth.From(w.admin)
		w.write(func(ctx context.Context, tx *db.Client) error {
			for i := range 230 {
				err := tx.Promotion.Create().SetKind(promotion.KindPROMOTE).SetStatus(promotion.StatusBLOCKED).
					SetAt(start.Add(time.Duration(i) * time.Second)).SetProjectID(v.ProjectID).SetVersionID(v.ID).
					SetToStageID(w.stage("DEV").ID).SetActorID(actor.ID).Exec(ctx)
				if err != nil {
					return err
				}
			}
			return nil
		})
		id := *must(w.promote("1.0", "DEV"))(t).Evaluations[0].EvalID
		var in struct {
			Version struct {
				History []struct{ At time.Time }
			}
		}
		text := *must(w.gates.Input(w.admin, must(w.gates.Evaluation(w.admin, id))(t)))(t)
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		list := in.Version.History
		if len(list) != 200 || !list[0].At.Equal(start.Add(30*time.Second)) || !list[199].At.Equal(start.Add(229*time.Second)) {
			t.Errorf("%d attempts are seen, from %v", len(list), list[0].At)
		}
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Error(err)
		}
	})
}

func TestRule24_AGateIsGuardedByThePoliciesThatMatch(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.guard("everywhere", "DEV", entry, block, "fine")
		on := func(name string, scope policy.PolicyScopeInput, change ...func(*policy.CreatePolicyInput)) {
			in := policy.CreatePolicyInput{
				WaiverApprovals: 1, WaiverMaxDays: 90,
				Name: name, Rules: []string{"fine"}, Mode: block, Enabled: true, Gate: policy.GateInput{Stage: "DEV", Kind: entry}, Scope: scope,
			}
			for _, c := range change {
				c(&in)
			}
			must(w.policies.CreatePolicy(w.admin, in))(t)
		}
		global := gatepolicy.ScopeTypeGLOBAL
		on("its project", policy.PolicyScopeInput{Type: gatepolicy.ScopeTypePROJECT, ProjectKeys: []string{"pay"}})
		on("another project", policy.PolicyScopeInput{Type: gatepolicy.ScopeTypePROJECT, ProjectKeys: []string{"books"}})
		on("the application", policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeAPPLICATION, ApplicationKeys: []string{"checkout"}})
		on("another application", policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeAPPLICATION, ApplicationKeys: []string{"ledger"}})
		on("its label", policy.PolicyScopeInput{Type: global, Labels: []*labels.Label{{Key: "tier", Value: "edge"}}, Criticality: []string{"HIGH"}})
		on("another label", policy.PolicyScopeInput{Type: global, Labels: []*labels.Label{{Key: "tier", Value: "db"}}})
		on("another criticality", policy.PolicyScopeInput{Type: global, Criticality: []string{"LOW"}})
		on("another gate", policy.PolicyScopeInput{Type: global}, func(in *policy.CreatePolicyInput) { in.Gate.Kind = exit })
		on("out of force", policy.PolicyScopeInput{Type: global}, func(in *policy.CreatePolicyInput) { in.Enabled = false })
		var got []string
		for _, p := range w.judge(v).Evaluations[0].Policies {
			got = append(got, p.Name+" "+p.Because)
		}
		want := []string{
			"everywhere guards every application", "its project guards project pay", "the application guards application checkout",
			"its label guards every application, label tier=edge, criticality HIGH",
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("the gate is guarded by\n%q\nwant\n%q", got, want)
		}
	})
}

func TestAGateReadsNoWholeTable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		testdb.NoScans(w.releaser, t, dsn, func(ctx context.Context) error {
			j, err := w.gates.Judge(ctx, v.ID, []*db.Stage{w.stage("DEV"), w.stage("QA")}, []gateKind{exit, entry})
			if err == nil && len(j.Evaluations) != 2 {
				err = fmt.Errorf("%d gates were asked", len(j.Evaluations))
			}
			return err
		}, "policies", "bill", "trust_anchors") // a table of the statement itself; of anchors there are few, and all are looked at
	})
}
