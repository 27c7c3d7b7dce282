package gate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const triedRego = `# METADATA
# title: Says what it was given
# custom:
#   remediation: "{parameters.word}: repair {subject} of {application} {version}"
package acme.tried

examined contains input.gate.stage

violations contains {"code": "SEEN", "subject": c.name, "message": input.evaluated_at} if some c in input.contents
`

func onVersion(name string) gate.TryPolicyInput {
	return gate.TryPolicyInput{
		ApplicationKey: ptr("checkout"), Version: &name, Gate: &policy.GateInput{Stage: "QA", Kind: gatepolicy.GateKindENTRY},
	}
}

// TestRule22_ATrialSaysWhatTheGateWouldAndWritesNothing: on a version as it is, and on what was recorded.
func TestRule22_ATrialSaysWhatTheGateWouldAndWritesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("strict", "DEV", gatepolicy.GateKindENTRY, gatepolicy.ModeBLOCK, "wrong")
		w.guard("lax", "DEV", gatepolicy.GateKindENTRY, gatepolicy.ModeWARN, "fine", "nothing", "divide", "endless")
		w.version("1.0.0")
		recorded := must(w.promote("1.0.0", "DEV"))(t).Evaluations[0]
		before := w.rows()

		tried := onVersion("1.0.0")
		tried.Rego, tried.Parameters = ptr(triedRego), json.RawMessage(`{"word":"please"}`)
		got := must(w.gates.TryPolicy(w.releaser, tried))(t)
		if got.Outcome != gate.Violated || len(got.Violations) != 3 || strings.Join(got.Examined, "") != "QA" || got.Result == nil || got.Error != nil {
			t.Fatalf("got %+v", got)
		}
		if v := got.Violations[0]; v.Remediation != "please: repair chart of checkout 1.0.0" || len(v.OwnerIDs) != 2 {
			t.Errorf("got %+v", v)
		}

		again := gate.TryPolicyInput{Rego: ptr(triedRego), EvalID: recorded.EvalID}
		first, second := must(w.gates.TryPolicy(w.releaser, again))(t), must(w.gates.TryPolicy(w.releaser, again))(t)
		if first.InputDigest != recorded.InputDigest || *first.Result != *second.Result || first.Examined[0] != "DEV" {
			t.Errorf("got %+v and %+v", first, second)
		}
		for rule, want := range map[string]gate.Outcome{"fine": gate.Pass, "wrong": gate.Violated, "nothing": gate.NotEvidenced, "divide": gate.Faulted, "endless": gate.Faulted} {
			onRule := onVersion("1.0.0")
			onRule.Rule = &rule
			got := must(w.gates.TryPolicy(w.releaser, onRule))(t)
			if got.Outcome != want || (got.Error != nil) != (want == gate.Faulted) || (got.Result == nil) != (want == gate.Faulted) {
				t.Errorf("%s: got %+v, want %s", rule, got, want)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("rows were written: %s became %s", before, after)
		}
	})
}

func TestTrialsAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("lax", "DEV", gatepolicy.GateKindENTRY, gatepolicy.ModeWARN, "fine")
		w.version("1.0.0")
		recorded := must(w.promote("1.0.0", "DEV"))(t).Evaluations[0]
		with := func(change func(*gate.TryPolicyInput)) gate.TryPolicyInput {
			in := onVersion("1.0.0")
			in.Rule = ptr("fine")
			change(&in)
			return in
		}
		for name, c := range map[string]struct {
			in         gate.TryPolicyInput
			kind       fault.Kind
			path, says string
		}{
			"nothing to try":           {with(func(in *gate.TryPolicyInput) { in.Rule = nil }), fault.BadInput, "input", "either rego or rule"},
			"two things to try":        {with(func(in *gate.TryPolicyInput) { in.Rego = ptr(triedRego) }), fault.BadInput, "input", "either rego or rule"},
			"parameters of a rule":     {with(func(in *gate.TryPolicyInput) { in.Parameters = []byte(`{}`) }), fault.BadInput, "input.parameters", "has its parameters"},
			"two things to try it on":  {with(func(in *gate.TryPolicyInput) { in.EvalID = recorded.EvalID }), fault.BadInput, "input", "either evalId"},
			"no gate":                  {with(func(in *gate.TryPolicyInput) { in.Gate = nil }), fault.BadInput, "input.gate", "which gate"},
			"no version":               {with(func(in *gate.TryPolicyInput) { in.Version = nil }), fault.BadInput, "input.version", "which version"},
			"a rule that is not there": {with(func(in *gate.TryPolicyInput) { in.Rule = ptr("none") }), fault.NotFound, "input.rule", "no rule"},
			"a version not there":      {with(func(in *gate.TryPolicyInput) { in.Version = ptr("9") }), fault.NotFound, "input.version", "no version"},
			"a stage not there":        {with(func(in *gate.TryPolicyInput) { in.Gate.Stage = "MOON" }), fault.NotFound, "input.gate.stage", "no stage"},
			"a gate that is none":      {with(func(in *gate.TryPolicyInput) { in.Gate.Kind = "DOOR" }), fault.BadInput, "input.gate.kind", "none of the values"},
			"a decision not there":     {gate.TryPolicyInput{Rule: ptr("fine"), EvalID: ptr("eval-entry-0")}, fault.NotFound, "input.evalId", "no evaluation"},
			"Rego that is none":        {with(func(in *gate.TryPolicyInput) { in.Rule, in.Rego = nil, ptr("package a\n") }), fault.BadInput, "input.rego", "examined"},
			"Rego with a typo": {with(func(in *gate.TryPolicyInput) {
				in.Rule, in.Rego = nil, ptr(strings.ReplaceAll(triedRego, "input.contents", "input.content"))
			}), fault.BadInput, "input.rego", "input has no content"},
			"parameters that are none":  {with(func(in *gate.TryPolicyInput) { in.Rule, in.Rego, in.Parameters = nil, ptr(triedRego), []byte(`[]`) }), fault.BadInput, "input.parameters", "JSON object"},
			"Rego that reads the clock": {with(func(in *gate.TryPolicyInput) { in.Rule, in.Rego = nil, ptr(triedRego+"\nx := time.now_ns()\n") }), fault.BadInput, "input.rego", "not allowed"},
		} {
			t.Run(name, func(t *testing.T) {
				w.refused(c.kind, c.path, c.says, func() error {
					_, err := w.gates.TryPolicy(w.releaser, c.in)
					return err
				})
			})
		}
	})
}

// TestRule45_ATrialShowsNothingOutOfReach: Rego of one's own can say all that is in an input.
func TestRule45_ATrialShowsNothingOutOfReach(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.guard("lax", "DEV", gatepolicy.GateKindENTRY, gatepolicy.ModeWARN, "fine")
	must(w.catalog.BindPackage(w.admin, catalog.BindPackageInput{ApplicationKey: "ledger", PURL: "pkg:npm/left-pad"}))(t)
	w.version("1.0.0")
	recorded := must(w.promote("1.0.0", "DEV"))(t).Evaluations[0]

	own := onVersion("1.0.0")
	own.Rego = ptr(triedRego)
	for name, in := range map[string]gate.TryPolicyInput{
		"Rego of one's own on a version": own, "Rego of one's own on a decision": {Rego: ptr(triedRego), EvalID: recorded.EvalID},
	} {
		w.refused(fault.Forbidden, "", "out of your reach", func() error {
			_, err := w.gates.TryPolicy(w.releaser, in)
			return err
		})
		if _, err := w.gates.TryPolicy(w.admin, in); err != nil {
			t.Errorf("%s, by whoever sees everything: %v", name, err)
		}
	}
	known := onVersion("1.0.0")
	known.Rule = ptr("fine")
	if got := must(w.gates.TryPolicy(w.releaser, known))(t); got.Outcome != gate.Pass {
		t.Errorf("got %+v", got)
	}
	ledger := onVersion("1.0.0")
	ledger.Rule, ledger.ApplicationKey = ptr("fine"), ptr("ledger")
	w.refused(fault.NotFound, "input.version", "no version", func() error {
		_, err := w.gates.TryPolicy(w.releaser, ledger)
		return err
	})
}
