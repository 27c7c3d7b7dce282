package gate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

type gateKind = gatepolicy.GateKind

const (
	block, warn = gatepolicy.ModeBLOCK, gatepolicy.ModeWARN
	entry, exit = gatepolicy.GateKindENTRY, gatepolicy.GateKindEXIT
)

func (w *world) stage(name string) *db.Stage {
	w.tb.Helper()
	return must(w.st.Read().Stage.Query().Where(stage.Name(name)).Only(auth.System(context.Background())))(w.tb)
}

// judge asks the entry gate of DEV.
func (w *world) judge(v *db.ApplicationVersion) *gate.Judgement {
	w.tb.Helper()
	return must(w.gates.Judge(w.releaser, v.ID, []*db.Stage{w.stage("DEV")}, []gatepolicy.GateKind{entry}))(w.tb)
}

func (w *world) results(e *gate.Evaluation) []*gate.RuleResult {
	w.tb.Helper()
	return must(w.gates.Results(w.releaser, e))(w.tb)
}

func TestRule19_OnlyWhatWasLookedAtAndFoundGoodPasses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.gates.SetLimits(rego.Limits{Time: 200 * time.Millisecond})
		v := w.version("1.0")
		for _, c := range []struct {
			say      string
			outcome  gate.Outcome
			codes    string
			decision string
			error    string
		}{
			{"fine", gate.Pass, "[]", "PASS", ""},
			{"wrong", gate.Violated, "[WRONG]", "FAIL", ""},
			{"nothing", gate.NotEvidenced, "[]", "FAIL", ""},
			{"missing", gate.NotEvidenced, "[WRONG]", "FAIL", ""},
			{"divide", gate.Faulted, "[]", "ERROR", "divide by zero"},
			{"endless", gate.Faulted, "[]", "ERROR", "too long"},
		} {
			w.guard("policy that says "+c.say, "QA", entry, block, c.say)
			j := must(w.gates.Judge(w.releaser, v.ID, []*db.Stage{w.stage("QA")}, []gatepolicy.GateKind{entry}))(t)
			r := w.results(j.Evaluations[0])
			last := r[len(r)-1]
			codes := []string{}
			for _, v := range last.Violations {
				codes = append(codes, v.Code)
			}
			if last.Rule.Name != c.say || last.Outcome != c.outcome || fmt.Sprint(codes) != c.codes {
				t.Errorf("%s: %s is %s with %v, want %s with %s", c.say, last.Rule.Name, last.Outcome, codes, c.outcome, c.codes)
			}
			if c.error == "" != (last.Error == nil) || last.Error != nil && (!strings.Contains(*last.Error, c.error) || last.Result != nil) {
				t.Errorf("%s: the error is %v, want one with %q", c.say, last.Error, c.error)
			}
			if last.Outcome.Satisfies() != (c.say == "fine") {
				t.Errorf("%s: satisfied is %v", c.say, last.Outcome.Satisfies())
			}
			w.disable("policy that says " + c.say)
			if got := string(j.Evaluations[0].Decision); got != c.decision {
				t.Errorf("%s: the gate says %s, want %s", c.say, got, c.decision)
			}
			if j.Open() != (c.decision == "PASS") || j.Faulted() != (c.decision == "ERROR") {
				t.Errorf("%s: open is %v, faulted %v", c.say, j.Open(), j.Faulted())
			}
		}
	})
}

// TestRule20_Decision compares every combination of up to three rules with the rule's own words.
func TestRule20_Decision(t *testing.T) {
	modes := []gatepolicy.Mode{block, warn}
	outcomes := []gate.Outcome{gate.Pass, gate.Violated, gate.Waived, gate.NotEvidenced, gate.Faulted}
	reference := func(modes []gatepolicy.Mode, outcomes []gate.Outcome) string {
		unsatisfied := map[gatepolicy.Mode]int{}
		refused := false
		for i, o := range outcomes {
			if o != gate.Pass && o != gate.Waived {
				unsatisfied[modes[i]]++
				refused = refused || modes[i] == block && o != gate.Faulted
			}
		}
		switch {
		case refused:
			return "FAIL"
		case unsatisfied[block] > 0:
			return "ERROR"
		case unsatisfied[warn] > 0:
			return "WARN"
		}
		return "PASS"
	}
	var try func(ms []gatepolicy.Mode, outs []gate.Outcome)
	tried := 0
	try = func(ms []gatepolicy.Mode, outs []gate.Outcome) {
		tried++
		got, explanation := gate.Decide(ms, outs)
		if want := reference(ms, outs); got != want {
			t.Errorf("%v %v: %s, want %s", ms, outs, got, want)
		}
		closed := got == "FAIL" || got == "ERROR"
		if closed == strings.Contains(explanation, "is open") {
			t.Errorf("%v %v: %s is explained with %q", ms, outs, got, explanation)
		}
		if len(ms) == 3 {
			return
		}
		for _, m := range modes {
			for _, o := range outcomes {
				try(append(slices.Clone(ms), m), append(slices.Clone(outs), o))
			}
		}
	}
	try(nil, nil)
	if tried != 1+10+100+1000 {
		t.Errorf("%d combinations were tried", tried)
	}
}

func TestALongListOfReasonsIsCounted(t *testing.T) {
	modes, outcomes := slices.Repeat([]gatepolicy.Mode{block}, 7), slices.Repeat([]gate.Outcome{gate.Violated}, 7)
	if _, explanation := gate.Decide(modes, outcomes); strings.Count(explanation, "r of policy p") != 5 || !strings.HasSuffix(explanation, "and 2 more") {
		t.Errorf("seven reasons are told as %q", explanation)
	}
}

func TestRule21_AnUnsatisfiedRuleSaysWhatToDoAndWhoDoesIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.guard("the policy", "DEV", entry, block, "wrong", "advice")
		for _, c := range []struct{ remediation, rule, subject string }{
			{"Repair the thing of checkout 1.0: wrong, one, two, {parameters.none}, {unknown}.", "wrong", "the thing"},
			{"do as I say", "advice", "it"},
		} {
			var r *gate.RuleResult
			for _, other := range w.results(w.judge(v).Evaluations[0]) {
				if other.Rule.Name == c.rule {
					r = other
				}
			}
			if r == nil || len(r.Violations) != 1 || r.Policy.Name != "the policy" || fmt.Sprint(r.Examined) != "[a look]" {
				t.Fatalf("%s says %+v", c.rule, r)
			}
			got := r.Violations[0]
			if got.Remediation != c.remediation || got.Subject != c.subject || got.Code != "WRONG" || got.Message != "it is wrong" {
				t.Errorf("%s says %+v, want remediation %q", c.rule, got, c.remediation)
			}
			var owners []string
			for _, o := range must(w.gates.Owners(w.admin, got))(t) {
				owners = append(owners, o.Ref)
			}
			if fmt.Sprint(owners) != "[team:payments user:"+owner+"]" {
				t.Errorf("the next step is for %v", owners)
			}
		}
		if none := must(w.gates.Owners(w.admin, &gate.Violation{}))(t); len(none) != 0 {
			t.Errorf("nobody's violation is for %v", none)
		}
	})
}

func TestARuleInTwoPoliciesIsAskedOnceAndCountsInBoth(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.guard("strict", "DEV", entry, block, "fine", "wrong")
		w.guard("lenient", "DEV", entry, warn, "wrong")
		e := w.judge(v).Evaluations[0]
		var got []string
		for _, r := range w.results(e) {
			got = append(got, fmt.Sprintf("%s/%s/%s/%s", r.Policy.Name, r.Policy.Mode, r.Rule.Name, r.Outcome))
		}
		want := "[strict/BLOCK/fine/PASS strict/BLOCK/wrong/VIOLATION lenient/WARN/wrong/VIOLATION]"
		if fmt.Sprint(got) != want || e.Decision != "FAIL" {
			t.Errorf("the gate says %s for %v, want %s", e.Decision, got, want)
		}
		// Asked once: both results are what one evaluation said.
		results := w.results(e)
		if results[1].Result != results[2].Result || results[1].Rule != results[2].Rule {
			t.Error("the shared rule was asked twice")
		}
		if because := e.Policies[0].Because; because != "guards every application" {
			t.Errorf("the policy applies because it %s", because)
		}
		w.disable("strict")
		if e := w.judge(v).Evaluations[0]; e.Decision != "WARN" || !e.Open() || len(e.Policies) != 1 {
			t.Errorf("without the strict policy the gate says %s: %s", e.Decision, e.Explanation)
		}
		w.disable("lenient")
		if e := w.judge(v).Evaluations[0]; e.Decision != "PASS" || len(e.Policies) != 0 || !strings.Contains(e.Explanation, "no policy applies") {
			t.Errorf("without policies the gate says %s: %s", e.Decision, e.Explanation)
		}
	})
}
