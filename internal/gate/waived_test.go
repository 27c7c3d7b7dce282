package gate_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// listRego is a template whose rules object to what they are told.
const listRego = `package acme.list

examined contains "the list" if data.parameters.items

violations contains object.union(item, {"message": "it is on the list"}) if some item in data.parameters.items
`

const listParameters = `{"type":"object","required":["items"],"properties":{"items":{"type":"array","items":{"type":"object"}}}}`

// lists makes a rule that objects to the items.
func (w *world) lists(name, items string) {
	w.tb.Helper()
	if !w.rules["list"] {
		w.rules["list"] = true
		must(w.policies.CreateTemplate(w.admin, policy.CreatePolicyTemplateInput{
			Name: "list", Category: policytemplate.CategoryQUALITY, Rego: listRego, ParametersSchema: json.RawMessage(listParameters),
		}))(w.tb)
	}
	must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{Name: name, Template: "list", Parameters: json.RawMessage(`{"items":` + items + `}`)}))(w.tb)
}

// waivable puts a policy on the entry gate of DEV that takes waivers.
func (w *world) waivable(name string, rules ...string) {
	w.tb.Helper()
	must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
		Name: name, Rules: rules, Mode: gatepolicy.ModeBLOCK, Enabled: true, Waivable: true, WaiverApprovals: 1, WaiverMaxDays: 90,
		Gate: policy.GateInput{Stage: "DEV", Kind: entry}, Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}))(w.tb)
}

type asked = waiver.RequestWaiverInput

// waive asks for a waiver and has it approved.
func (w *world) waive(in asked) *db.Waiver {
	w.tb.Helper()
	in.ApplicationKey, in.Justification = "checkout", "the test wants it"
	if in.ExpiresAt.IsZero() {
		in.ExpiresAt = start.Add(24 * time.Hour)
	}
	made := must(w.waivers.Request(w.releaser, in))(w.tb)
	return must(w.waivers.Decide(w.admin, waiver.DecideWaiverInput{ID: id.Global("Waiver", made.ID), Approve: true}))(w.tb)
}

// said are what the rules of the entry gate of DEV say of a version, without a record: "policy/rule OUTCOME [subjects not covered]".
func (w *world) said(v *db.ApplicationVersion) []string {
	w.tb.Helper()
	j := must(w.gates.Judge(w.admin, v.ID, []*db.Stage{w.stage("DEV")}, []gateKind{entry}))(w.tb)
	var out []string
	for _, r := range must(w.gates.Results(w.admin, j.Evaluations[0]))(w.tb) {
		var left []string
		for _, v := range r.Violations {
			if v.WaiverID == 0 {
				left = append(left, v.Subject)
			}
		}
		slices.Sort(left)
		out = append(out, strings.TrimSpace(r.Policy.Name+"/"+r.Rule.Name+" "+string(r.Outcome)+" "+strings.Join(left, ",")))
	}
	return out
}

const items = `[
	{"code":"VULNERABLE","subject":"one","vulnerability":"CVE-2026-1","purl":"pkg:npm/a@1.0.0"},
	{"code":"VULNERABLE","subject":"two","vulnerability":"CVE-2026-2","purl":"pkg:npm/a@2.0.0"},
	{"code":"OLD","subject":"three"}
]`

func TestRule26_AWaiverCoversWhatItNamesAndNothingElse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich() // an advisory says of its component that CVE-2026-1 is GHSA-aaaa-bbbb-cccc, too
		w.advise("bad")
		v, other := w.version("2.0"), w.version("3.0")
		w.lists("list", items)
		w.lists("other", `[{"code":"OLD","subject":"four"}]`)
		w.waivable("p", "list")
		w.waivable("q", "list", "other")
		const open = "p/list VIOLATION one,three,two|q/list VIOLATION one,three,two|q/other VIOLATION four"
		for name, c := range map[string]struct {
			in   asked
			want string
		}{
			"a policy":                      {asked{Policy: ptr("p")}, "p/list WAIVED|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"a rule, in whatever policy":    {asked{Rule: ptr("list")}, "p/list WAIVED|q/list WAIVED|q/other VIOLATION four"},
			"a code":                        {asked{Rule: ptr("list"), Code: ptr("OLD")}, "p/list VIOLATION one,two|q/list VIOLATION one,two|q/other VIOLATION four"},
			"a code, in all of a policy":    {asked{Policy: ptr("q"), Code: ptr("OLD")}, "p/list VIOLATION one,three,two|q/list VIOLATION one,two|q/other WAIVED"},
			"a subject":                     {asked{Policy: ptr("p"), Subject: ptr("two")}, "p/list VIOLATION one,three|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"a code and another's subject":  {asked{Policy: ptr("p"), Code: ptr("OLD"), Subject: ptr("two")}, open},
			"a vulnerability, oddly typed":  {asked{Policy: ptr("p"), Vulnerability: ptr("cve-2026-2")}, "p/list VIOLATION one,three|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"a vulnerability, another name": {asked{Policy: ptr("p"), Vulnerability: ptr("ghsa-AAAA-bbbb-cccc")}, "p/list VIOLATION three,two|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"an unknown vulnerability":      {asked{Policy: ptr("p"), Vulnerability: ptr("CVE-2026-3")}, open},
			"a package":                     {asked{Policy: ptr("p"), Purl: ptr("pkg:npm/a")}, "p/list VIOLATION three|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"a version of a package":        {asked{Policy: ptr("p"), Purl: ptr("pkg:NPM/a@2.0.0")}, "p/list VIOLATION one,three|q/list VIOLATION one,three,two|q/other VIOLATION four"},
			"another version of it":         {asked{Policy: ptr("p"), Purl: ptr("pkg:npm/a@2.0.1")}, open},
			"another version of ours":       {asked{Policy: ptr("p"), Version: ptr("3.0")}, open},
		} {
			t.Run(name, func(t *testing.T) {
				made := w.waive(c.in)
				if got := strings.Join(w.said(v), "|"); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if c.in.Version != nil && !strings.HasPrefix(w.said(other)[0], "p/list WAIVED") {
					t.Errorf("version 3.0: %v", w.said(other))
				}
				must(w.waivers.Revoke(w.admin, waiver.RevokeWaiverInput{ID: id.Global("Waiver", made.ID), Reason: "the test is over"}))(t)
				if got := strings.Join(w.said(v), "|"); got != open {
					t.Errorf("revoked it still counts: %s", got)
				}
			})
		}
	})
}

func TestRule26_OutcomesThatAreNotViolations(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.guard("make the rules", "PROD", gatepolicy.GateKindRELEASE, warn, "nothing", "missing", "divide")
		w.waivable("p", "nothing", "missing", "divide")
		narrow := w.waive(asked{Policy: ptr("p"), Code: ptr("WRONG")})
		if got := strings.Join(w.said(v), "|"); got != "p/nothing NOT_EVIDENCED|p/missing NOT_EVIDENCED|p/divide ERROR" {
			t.Errorf("with a waiver of a code: %s", got)
		}
		whole := w.waive(asked{Policy: ptr("p")})
		if got := strings.Join(w.said(v), "|"); got != "p/nothing WAIVED|p/missing WAIVED|p/divide ERROR" {
			t.Errorf("with a waiver of everything: %s", got)
		}
		if narrow.ID >= whole.ID {
			t.Error("they are not in order")
		}
	})
}

func TestRule26_APolicyThatTakesNoWaiversIgnoresThem(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.lists("list", `[{"code":"OLD","subject":"it"}]`)
		w.waivable("p", "list")
		w.waive(asked{Rule: ptr("list")})
		must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "p", Waivable: ptr(false)}))(t)
		if got := w.said(v); got[0] != "p/list VIOLATION it" {
			t.Errorf("it says %v", got)
		}
	})
}

func TestRule27_AWaiverCountsToItsLastMicrosecond(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		w.lists("list", `[{"code":"OLD","subject":"it"}]`)
		w.waivable("p", "list")
		made := w.waive(asked{Policy: ptr("p"), ExpiresAt: start.Add(time.Hour)})
		for _, c := range []struct {
			later time.Duration
			want  string
			state string
		}{
			{time.Hour - time.Microsecond, "p/list WAIVED", "APPROVED"},
			{time.Hour, "p/list VIOLATION it", "EXPIRED"},
			{time.Hour + time.Second, "p/list VIOLATION it", "EXPIRED"},
		} {
			w.later.Store(int64(c.later))
			if got := w.said(v); got[0] != c.want || w.waivers.StateOf(made) != c.state {
				t.Errorf("%v later it says %v, and the waiver is %s", c.later, got, w.waivers.StateOf(made))
			}
		}
	})
}

func TestRule26_WhatWasWaivedIsRecordedAsItWasSaid(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.lists("list", items)
		w.waivable("p", "list")
		w.waivable("q", "list")
		made := w.waive(asked{Rule: ptr("list")})
		w.waive(asked{Policy: ptr("p"), Code: ptr("NONE")})
		done := must(w.promote("1.0", "DEV"))(t)
		if done.Promotion.Status != "COMPLETED" {
			t.Fatalf("it is %s", done.Promotion.Status)
		}
		e := must(w.gates.Evaluation(w.releaser, *done.Evaluations[0].EvalID))(t)
		if len(e.Waivers) != 2 || e.Waivers[0].ID != made.ID || e.Waivers[0].Rule != "list" || !e.Waivers[0].ExpiresAt.Equal(made.ExpiresAt) {
			t.Errorf("the waivers are %+v", e.Waivers)
		}
		for _, r := range must(w.gates.Results(w.releaser, e))(t) {
			if r.Outcome != gate.Waived || len(r.Violations) != 3 || !strings.Contains(*r.Result, `"vulnerability":"CVE-2026-1"`) || strings.Contains(*r.Result, "waiver") {
				t.Errorf("%s of %s is %s: %s", r.Rule.Name, r.Policy.Name, r.Outcome, *r.Result)
			}
			for _, v := range r.Violations {
				if v.WaiverID != made.ID {
					t.Errorf("%s is covered by %d", v.Subject, v.WaiverID)
				}
			}
		}
		w.overridesAre(t, made, *e.EvalID)
	})
}

// overridesAre asks in every way what was let through.
func (w *world) overridesAre(t *testing.T, made *db.Waiver, evalID string) {
	t.Helper()
	for name, c := range map[string]struct {
		of   blast.BlastRadiusInput
		want string
	}{
		"a vulnerability":      {blast.BlastRadiusInput{Vulnerability: ptr("cve-2026-1")}, "one"},
		"another":              {blast.BlastRadiusInput{Vulnerability: ptr("CVE-2026-9")}, ""},
		"a package":            {blast.BlastRadiusInput{Purl: ptr("pkg:npm/a")}, "one,two"},
		"a version of it":      {blast.BlastRadiusInput{Purl: ptr("pkg:npm/a@2.0.0")}, "two"},
		"versions of it":       {blast.BlastRadiusInput{PurlRange: &blast.PurlRangeInput{Purl: "pkg:npm/a", Range: "vers:npm/<2.0.0"}}, "one"},
		"what is in a version": {blast.BlastRadiusInput{Digest: ptr(digestOf("image"))}, "one,three,two"},
		"what is in none":      {blast.BlastRadiusInput{Digest: ptr(digestOf("none"))}, ""},
		"an owner":             {blast.BlastRadiusInput{Owner: ptr("team:payments")}, "one,three,two"},
	} {
		list, called, err := w.waivers.Overrides(w.releaser, c.of)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var subjects []string
		for _, o := range list {
			subjects = append(subjects, o.Violation.Subject)
			es := must(w.gates.ByID(w.releaser, o.EvaluationIDs))(t)
			if o.Waiver.ID != made.ID || len(es) != 1 || *es[0].EvalID != evalID {
				t.Errorf("%s: %+v", name, o)
			}
		}
		slices.Sort(subjects)
		if got := strings.Join(subjects, ","); got != c.want || called == "" {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		// Whoever reaches another project sees none of it; an owner is not there.
		books := must(w.catalog.Project(w.admin, "books"))(t)
		stranger := auth.With(context.Background(), auth.Principal{ID: 1, Name: "x", Grants: []auth.Grant{{Role: auth.Viewer, Project: books.ID}}})
		if list, _, err := w.waivers.Overrides(stranger, c.of); err == nil && len(list) > 0 {
			t.Errorf("%s: out of reach it is %+v", name, list)
		}
	}
}

func TestRule27_AWaiverRevokedWhileTheGatesAreAskedDoesNotCount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.lists("list", `[{"code":"OLD","subject":"it"}]`)
		w.waivable("p", "list")
		made := w.waive(asked{Policy: ptr("p")})
		revoke := func() {
			must(w.waivers.Revoke(w.admin, waiver.RevokeWaiverInput{ID: id.Global("Waiver", made.ID), Reason: "it was a mistake"}))(t)
		}
		w.onSign.Store(&revoke)
		if done := must(w.promote("1.0", "DEV"))(t); done.Promotion.Status != "BLOCKED" {
			t.Errorf("it is %s", done.Promotion.Status)
		}
	})
}

func TestRule18_AFreezeStopsWhatItCoversAndIsSeen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if err := w.policies.InstallBuiltin(w.admin); err != nil {
			t.Fatal(err)
		}
		w.version("1.0")
		must(w.promote("1.0", "DEV"))(t)
		w.freezeHolds(t)
		if done := must(w.promote("1.0", "QA"))(t); done.Promotion.Status != "COMPLETED" {
			t.Fatalf("lifted it still holds: %s", done.Evaluations[1].Explanation)
		}
		f := w.frozen(nil)
		if _, err := w.rollback("1.0", "QA"); err != nil {
			t.Errorf("a rollback is stopped: %v", err)
		}
		w.later.Store(int64(time.Hour)) // its end
		if done := must(w.promote("1.0", "QA"))(t); done.Promotion.Status != "COMPLETED" || w.freezes.Active(f) {
			t.Errorf("over it still holds: %s", done.Evaluations[1].Explanation)
		}
		// One that is made while the gates are asked stops the version, too.
		halt := func() { w.frozenUntil(nil, start.Add(3*time.Hour)) }
		w.onSign.Store(&halt)
		if done := must(w.release("1.0"))(t); done.Promotion.Status != "BLOCKED" {
			t.Errorf("it is %s", done.Promotion.Status)
		}
	})
}

// freezeHolds makes freezes of all scopes, one after the other, and asks what the gates say.
func (w *world) freezeHolds(t *testing.T) {
	t.Helper()
	for scope, in := range scopes() {
		f := w.frozen(in)
		for _, try := range []func() (*release.Result, error){func() (*release.Result, error) { return w.promote("1.0", "QA") }} {
			done := must(try())(t)
			if done.Promotion.Status != "BLOCKED" || len(done.Evaluations) != 2 {
				t.Fatalf("%s: it is %s", scope, done.Promotion.Status)
			}
			for _, made := range done.Evaluations {
				e := must(w.gates.Evaluation(w.releaser, *made.EvalID))(t)
				p := e.Policies[0]
				if e.Decision != "FAIL" || p.Name != "freeze" || p.Revision != 1 || p.Mode != gatepolicy.ModeBLOCK || p.Rules[0].Name != "not-frozen" ||
					p.Because != scope+": the quarter ends, until 2026-11-21T04:00:00Z" {
					t.Errorf("%s: %s: %+v", scope, e.Explanation, p)
				}
				r := must(w.gates.Results(w.releaser, e))(t)[0]
				if r.Outcome != gate.Violated || r.Violations[0].Code != "FROZEN" {
					t.Errorf("%s: %+v", scope, r)
				}
				if input := *must(w.gates.Input(w.admin, e))(t); !strings.Contains(input, `"active":true`) || !strings.Contains(input, `"scope":"`+scope+`"`) {
					t.Errorf("%s: the input is %s", scope, input)
				}
			}
		}
		w.lift(f)
	}
	in := scopes()["LABEL"]
	in.Label.Value = "backend"
	w.frozen(in) // of others
}

func TestRule24_NoPolicyIsCalledAsAFreeze(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.lists("list", `[]`)
		w.refused(fault.BadInput, "input.name", "how decisions call a freeze", func() error {
			_, err := w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
				Name: "freeze", Rules: []string{"list"}, Mode: gatepolicy.ModeWARN, WaiverApprovals: 1, WaiverMaxDays: 1,
				Gate: policy.GateInput{Stage: "DEV", Kind: entry}, Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
			})
			return err
		})
	})
}
