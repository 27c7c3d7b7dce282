package gate_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// unbounded are rules that would not end, fill the memory, or say more than anybody reads.
func unbounded() map[string]string {
	rule := func(body string) string {
		return "package acme.unbounded\n\nexamined contains \"x\"\n\nviolations contains {\"code\": \"C\", \"subject\": sprintf(\"%v\", [v]), \"message\": \"m\"} if {\n" + body + "\n}\n"
	}
	return map[string]string{
		"walks":    rule("\tsome i in numbers.range(1, 1000000)\n\twalk(input, [p, v])\n\tp == [i]"),
		"counts":   rule("\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\tv := i * j\n\tv == -1"),
		"explodes": rule("\tx := [concat(\"\", [s | some i in numbers.range(1, 4000); s := sprintf(\"%d-%d\", [i, j])]) | some j in numbers.range(1, 1000000)]\n\tv := count(x)"),
		"shouts":   rule("\tsome v in numbers.range(1, 1000000)"),
	}
}

// TestRule22_ARuleWithoutBoundsIsAnErrorAndTheOthersAnswer: each of them ends as ERROR within its limits, the rule beside it says
// what it says, and the server answers others meanwhile.
func TestRule22_ARuleWithoutBoundsIsAnErrorAndTheOthersAnswer(t *testing.T) {
	for name, source := range unbounded() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testdb.SQLite(t))
			limits := rego.Limits{Time: time.Second, Memory: 128 << 20}
			w.gates.SetLimits(limits)
			must(w.policies.CreateTemplate(w.admin, policy.CreatePolicyTemplateInput{
				Name: "unbounded", Category: "QUALITY", Rego: source, ParametersSchema: json.RawMessage(`{"type":"object"}`),
			}))(t)
			must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{Name: "unbounded", Template: "unbounded", Parameters: json.RawMessage(`{}`)}))(t)
			w.rules["unbounded"] = true
			w.guard("all", "DEV", entry, block, "unbounded", "fine", "wrong")
			v := w.version("1.0")
			begun, judged := time.Now(), make(chan *gate.Judgement)
			go func() {
				judged <- must(w.gates.Judge(w.admin, v.ID, []*db.Stage{w.stage("DEV")}, []gateKind{entry}))(t)
			}()
			j, slowest := w.meanwhile(judged)
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if slowest > time.Second {
				t.Errorf("meanwhile a query took %v", slowest)
			}
			outcomes := map[string]gate.Outcome{}
			for _, r := range must(w.gates.Results(w.admin, j.Evaluations[0]))(t) {
				outcomes[r.Rule.Name] = r.Outcome
				if r.Rule.Name == "unbounded" && (r.Error == nil || !strings.Contains(*r.Error, "too") && !strings.Contains(*r.Error, "the limit is")) {
					t.Errorf("it says %v", r.Error)
				}
			}
			if outcomes["unbounded"] != gate.Faulted || outcomes["fine"] != gate.Pass || outcomes["wrong"] != gate.Violated {
				t.Errorf("the rules say %v", outcomes)
			}
		})
	}
}

// meanwhile asks something small until a gate has judged, and returns how long the slowest answer took.
func (w *world) meanwhile(judged <-chan *gate.Judgement) (j *gate.Judgement, slowest time.Duration) {
	w.tb.Helper()
	for {
		select {
		case j = <-judged:
			return j, slowest
		case <-time.After(20 * time.Millisecond):
			asked := time.Now()
			must(w.catalog.Project(w.admin, "pay"))(w.tb)
			slowest = max(slowest, time.Since(asked))
		}
	}
}
