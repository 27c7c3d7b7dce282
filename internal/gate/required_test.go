package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// builtin installs the templates of the program.
func (w *world) builtin() {
	w.tb.Helper()
	if err := w.policies.InstallBuiltin(w.admin); err != nil {
		w.tb.Fatal(err)
	}
}

// rule makes a rule on a template.
func (w *world) rule(name, template, parameters string) {
	w.tb.Helper()
	must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{Name: name, Template: template, Parameters: json.RawMessage(parameters)}))(w.tb)
}

// on puts a policy of rules on a gate.
func (w *world) on(name, stageName string, kind gateKind, mode gatepolicy.Mode, waivable bool, rules ...string) {
	w.tb.Helper()
	must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
		Name: name, Rules: rules, Mode: mode, Enabled: true, Gate: policy.GateInput{Stage: stageName, Kind: kind},
		Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL}, Waivable: waivable, WaiverApprovals: 1, WaiverMaxDays: 90,
	}))(w.tb)
}

func (w *world) required(version *string, to string) []*gate.RequiredGate {
	w.tb.Helper()
	return must(w.gates.Required(w.admin, "checkout", version, to))(w.tb)
}

// gatesOf lists gates in short.
func gatesOf(list []*gate.RequiredGate) string {
	var names []string
	for _, g := range list {
		names = append(names, g.Gate.Stage+" "+string(g.Gate.Kind))
	}
	return strings.Join(names, ", ")
}

func TestRule24_TheGatesOnTheWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		check := func(what string, version *string, to, want string) {
			t.Helper()
			if got := gatesOf(w.required(version, to)); got != want {
				t.Errorf("%s: the gates are %q, want %q", what, got, want)
			}
		}
		check("any version", nil, "PROD", "DEV ENTRY, DEV EXIT, QA ENTRY, QA EXIT, PROD RELEASE")
		check("a version that is nowhere", ptr("1.0"), "QA", "DEV ENTRY, DEV EXIT, QA ENTRY")
		must(w.promote("1.0", "DEV"))(t)
		must(w.promote("1.0", "QA"))(t)
		check("a version in QA", ptr("1.0"), "PROD", "QA EXIT, PROD RELEASE")
		check("where it is", ptr("1.0"), "QA", "")
		check("where it was", ptr("1.0"), "DEV", "")
		check("a version that is not there", ptr("9.9"), "PROD", "")
		w.lifecycle(false)
		check("any version, in no order", nil, "PROD", "PROD RELEASE")
		check("a version back", ptr("1.0"), "DEV", "QA EXIT, DEV ENTRY")
		w.refused(fault.BadInput, "toStage", "DEV → QA → PROD", func() error {
			_, err := w.gates.Required(w.admin, "checkout", nil, "NOWHERE")
			return err
		})
		if got, err := w.gates.Required(w.releaser, "ledger", nil, "PROD"); err != nil || len(got) != 0 {
			t.Errorf("out of reach there are %d gates, and %v", len(got), err)
		}
		w.refused(fault.NotFound, "", "no version", func() error {
			_, err := w.gates.PathToGreen(w.releaser, "ledger", "1.0", "PROD")
			return err
		})
	})
}

func TestRule24_WhatIsRequiredIsSaidBeforeAnyoneTries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.builtin()
		v := w.version("1.0")
		w.rule("provenance", "slsa-provenance", `{"builders":["https://ci.example.org/*"]}`)
		w.rule("tested in QA", "gate-certified", `{"stage":"QA","gate":"ENTRY"}`)
		w.on("secure", "QA", entry, block, false, "provenance")
		w.on("certified", "PROD", gatepolicy.GateKindRELEASE, warn, false, "tested in QA")
		tell := func(list []*gate.RequiredGate) string {
			var lines []string
			for _, g := range list {
				for _, p := range g.Policies {
					for _, r := range p.Rules {
						line := fmt.Sprintf("%s %s: %s %s; %s", g.Gate.Stage, g.Gate.Kind, p.Policy.Name, p.Because, r.Name)
						if r.Outcome != nil {
							line += fmt.Sprintf(" %s %v", *r.Outcome, *r.Satisfied)
						}
						for _, m := range r.Missing {
							line += fmt.Sprintf("\n  %s | %s | %s", m.What, m.Command, m.Owner.Ref)
						}
						lines = append(lines, line)
					}
				}
			}
			return strings.Join(lines, "\n")
		}
		before := w.rows()
		got := tell(w.required(nil, "PROD"))
		want := `QA ENTRY: secure guards every application; provenance
  SLSA provenance for each content, signed by a trust anchor; from level 2 on a verification summary, too. | plimsoll evidence push --subject sha256:DIGEST --predicate-type https://slsa.dev/provenance/v1 --sign-key KEY FILE | team:payments
PROD RELEASE: certified guards every application; tested in QA
  The gate was passed (Gate: ENTRY; Stage: QA) | plimsoll promote --application checkout --version VERSION --stage QA | team:payments`
		if got != want {
			t.Errorf("any version has to meet\n%s\nwant\n%s", got, want)
		}
		got = tell(w.required(&v.Version, "QA"))
		for _, want := range []string{
			"provenance NOT_EVIDENCED false", "no verified SLSA provenance is attached for image",
			"--subject " + digestOf("image") + " --predicate-type https://slsa.dev/provenance/v1 --sign-key KEY FILE",
			"left-pad has no digest",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("the version has to meet\n%s\nwant %q in it", got, want)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("rows were written: %s became %s", before, after)
		}
		testdb.NoScans(w.releaser, t, dsn, func(ctx context.Context) error {
			_, err := w.gates.Required(ctx, "checkout", &v.Version, "PROD")
			return err
		}, "policies", "bill", "freezes") // few rows, of which all that are not over matter
	})
}
