package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// pass makes a version and moves it into DEV an hour after what was before.
func (w *world) pass(name string) {
	w.tb.Helper()
	w.later.Add(int64(time.Hour))
	w.version(name)
	must(w.promote(name, "DEV"))(w.tb)
}

// backtest asks what a policy would have decided until two days from now.
func (w *world) backtest(who context.Context, in gate.BacktestPolicyInput) *gate.PolicyBacktest {
	w.tb.Helper()
	if in.To == nil {
		in.To = ptr(w.clock().Add(48 * time.Hour))
	}
	return must(w.gates.Backtest(who, in))(w.tb)
}

// draft is a blocking policy on the entry gate of DEV that is not there.
func draft(rules ...string) *policy.CreatePolicyInput {
	return &policy.CreatePolicyInput{
		Name: "draft", Rules: rules, Mode: block, Gate: policy.GateInput{Stage: "DEV", Kind: entry},
		Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL}, WaiverApprovals: 1, WaiverMaxDays: 1,
	}
}

// told spells a report: which versions flip, from what to what, how long they would have waited, what the rules say.
func told(b *gate.PolicyBacktest) string {
	lines := []string{fmt.Sprintf("%d considered, %d flips, %d unreadable", b.EvaluationsConsidered, b.FlipCount, b.Unreadable)}
	for _, f := range b.Flips {
		waited := "for ever"
		if f.WaitedSeconds != nil {
			waited = (time.Duration(*f.WaitedSeconds) * time.Second).String()
		}
		outcomes := make([]string, len(f.Results))
		for i, r := range f.Results {
			outcomes[i] = r.Rule.Name + " " + string(r.Outcome)
		}
		lines = append(lines, fmt.Sprintf("%s@%s %s→%s %s: %s", f.Application.Key, f.Version.Version, f.Was, f.WouldBe, waited, strings.Join(outcomes, ", ")))
	}
	return strings.Join(lines, "\n")
}

func (w *world) tells(what string, b *gate.PolicyBacktest, want ...string) {
	w.tb.Helper()
	if got := told(b); got != strings.Join(want, "\n") {
		w.tb.Errorf("%s: it says\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

func TestRule25_ABacktestSaysWhichDecisionsWouldHaveBeenOthers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.pass("1.0")
		w.guard("lenient", "DEV", entry, warn, "wrong")
		w.guard("good", "DEV", entry, block, "fine", "divide", "nothing")
		must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "good", Rules: []string{"fine"}}))(t)
		w.pass("1.1")
		w.pass("1.2")
		before := w.rows()
		lenient := ptr("lenient")
		w.tells("blocking", w.backtest(w.releaser, gate.BacktestPolicyInput{Policy: lenient}),
			"3 considered, 3 flips, 0 unreadable", "checkout@1.0 PASS→FAIL for ever: wrong VIOLATION",
			"checkout@1.1 WARN→FAIL for ever: wrong VIOLATION", "checkout@1.2 WARN→FAIL for ever: wrong VIOLATION")
		w.tells("as it is", w.backtest(w.releaser, gate.BacktestPolicyInput{Policy: lenient, Mode: ptr("WARN"), From: ptr(start.Add(90 * time.Minute))}),
			"2 considered, 0 flips, 0 unreadable")
		w.tells("with a rule that is met", w.backtest(w.releaser, gate.BacktestPolicyInput{Policy: lenient, Rules: []string{"fine"}}),
			"3 considered, 2 flips, 0 unreadable", "checkout@1.1 WARN→PASS for ever: fine PASS", "checkout@1.2 WARN→PASS for ever: fine PASS")
		w.tells("with a fault", w.backtest(w.releaser, gate.BacktestPolicyInput{Policy: lenient, Rules: []string{"divide"}, To: ptr(start.Add(90 * time.Minute))}),
			"1 considered, 1 flips, 0 unreadable", "checkout@1.0 PASS→ERROR for ever: divide ERROR")
		w.tells("a draft", w.backtest(w.releaser, gate.BacktestPolicyInput{Draft: draft("nothing")}),
			"3 considered, 3 flips, 0 unreadable", "checkout@1.0 PASS→FAIL for ever: nothing NOT_EVIDENCED",
			"checkout@1.1 WARN→FAIL for ever: nothing NOT_EVIDENCED", "checkout@1.2 WARN→FAIL for ever: nothing NOT_EVIDENCED")
		w.tells("a draft that warns", w.backtest(w.releaser, gate.BacktestPolicyInput{Draft: draft("nothing"), Mode: ptr("WARN")}),
			"3 considered, 1 flips, 0 unreadable", "checkout@1.0 PASS→WARN for ever: nothing NOT_EVIDENCED")
		if after := w.rows(); after != before {
			t.Errorf("rows were written: %s became %s", before, after)
		}
	})
}

func TestRule25_ABacktestGoesByTheApplicationAsItWasThen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("rules", "QA", entry, warn, "wrong")
		w.pass("1.0")
		w.write(func(ctx context.Context, tx *db.Client) error {
			return tx.Application.Update().Where(application.Key("checkout")).SetCriticality("LOW").Exec(ctx)
		})
		w.pass("1.1")
		narrow := func(change func(*policy.PolicyScopeInput)) gate.BacktestPolicyInput {
			d := draft("wrong")
			change(&d.Scope)
			return gate.BacktestPolicyInput{Draft: d}
		}
		for name, c := range map[string]struct {
			change func(*policy.PolicyScopeInput)
			want   int
		}{
			"its criticality":     {func(sc *policy.PolicyScopeInput) { sc.Criticality = []string{"HIGH"} }, 1},
			"a label":             {func(sc *policy.PolicyScopeInput) { sc.Labels = []*labels.Label{{Key: "tier", Value: "edge"}} }, 2},
			"a label of others":   {func(sc *policy.PolicyScopeInput) { sc.Labels = []*labels.Label{{Key: "tier", Value: "core"}} }, 0},
			"its project":         {func(sc *policy.PolicyScopeInput) { sc.Type, sc.ProjectKeys = "PROJECT", []string{"pay"} }, 2},
			"another project":     {func(sc *policy.PolicyScopeInput) { sc.Type, sc.ProjectKeys = "PROJECT", []string{"books"} }, 0},
			"its key":             {func(sc *policy.PolicyScopeInput) { sc.Type, sc.ApplicationKeys = "APPLICATION", []string{"checkout"} }, 2},
			"another application": {func(sc *policy.PolicyScopeInput) { sc.Type, sc.ApplicationKeys = "APPLICATION", []string{"ledger"} }, 0},
		} {
			if b := w.backtest(w.admin, narrow(c.change)); b.EvaluationsConsidered != c.want || b.FlipCount != c.want {
				t.Errorf("%s: %s, want %d", name, told(b), c.want)
			}
		}
	})
}

func TestRule25_ABacktestSaysHowLongAVersionWouldHaveWaited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.lifecycle(false)
		w.freshness()
		w.guard("shut", "DEV", entry, block, "wrong")
		w.pass("1.0")
		w.later.Add(int64(time.Hour))
		must(w.promote("1.0", "DEV"))(t)
		w.disable("shut")
		w.later.Add(int64(2 * time.Hour))
		must(w.promote("1.0", "DEV"))(t)
		// The draft is met from 04:00 on by what is evaluated then; the first two were refused, so they do not flip.
		w.tells("refused before", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: draft("late")}), "3 considered, 0 flips, 0 unreadable")
		// With the policy that refused taken out, the first would have had to wait for the second.
		in := gate.BacktestPolicyInput{Policy: ptr("shut"), Rules: []string{"late"}}
		w.tells("without what refused", w.backtest(w.admin, in), "3 considered, 1 flips, 0 unreadable", "checkout@1.0 FAIL→PASS for ever: late PASS")
		w.version("2.0")
		w.tells("until before", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: draft("later")}),
			"3 considered, 1 flips, 0 unreadable", "checkout@1.0 PASS→FAIL for ever: later VIOLATION")
		until := w.clock().Add(time.Second)
		w.later.Add(int64(3 * time.Hour))
		must(w.rollback("1.0", "DEV"))(t)
		must(w.promote("1.0", "DEV"))(t)
		w.tells("until behind", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: draft("later")}),
			"4 considered, 1 flips, 0 unreadable", "checkout@1.0 PASS→FAIL 3h0m0s: later VIOLATION")
		w.tells("an attempt behind the time that is asked about", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: draft("later"), To: &until}),
			"3 considered, 1 flips, 0 unreadable", "checkout@1.0 PASS→FAIL 3h0m0s: later VIOLATION")
	})
}

// freshness makes rules that look at the clock of the input: met from one hour after the start on, and from six.
func (w *world) freshness() {
	w.tb.Helper()
	must(w.policies.CreateTemplate(w.admin, policy.CreatePolicyTemplateInput{
		Name: "clock", Category: "QUALITY", ParametersSchema: json.RawMessage(`{"type":"object","required":["from"],"properties":{"from":{"type":"string"}}}`),
		Rego: "package acme.clock\n\nexamined contains input.evaluated_at\n\nviolations contains {\"code\": \"EARLY\", \"subject\": input.gate.stage, \"message\": \"too early\"} if input.evaluated_at < data.parameters.from\n",
	}))(w.tb)
	for name, after := range map[string]time.Duration{"late": 2 * time.Hour, "later": 6 * time.Hour} {
		must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{
			Name: name, Template: "clock", Parameters: json.RawMessage(fmt.Sprintf(`{"from":%q}`, start.Add(after).Format(time.RFC3339))),
		}))(w.tb)
	}
}

func TestRule25_ABacktestGivesTheSameTwiceAndCountsWhatWasAltered(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("lenient", "DEV", entry, warn, "wrong")
		for i := range 5 {
			w.pass(fmt.Sprintf("1.%d", i))
		}
		in := gate.BacktestPolicyInput{Policy: ptr("lenient")}
		first, second := w.backtest(w.admin, in), w.backtest(w.admin, in)
		if first.Digest != second.Digest || told(first) != told(second) || !strings.HasPrefix(first.Digest, "sha256:") {
			t.Errorf("the same twice says %s and %s", first.Digest, second.Digest)
		}
		if other := w.backtest(w.admin, gate.BacktestPolicyInput{Policy: ptr("lenient"), Mode: ptr("WARN")}); other.Digest == first.Digest {
			t.Error("another report has the same digest")
		}
		rows := must(w.st.Read().Evaluation.Query().All(w.admin))(t)
		slices.SortFunc(rows, func(a, b *db.Evaluation) int { return a.ID - b.ID })
		partOf := func(i int, key string) string {
			var parts []struct{ Key, Digest string }
			if err := json.Unmarshal([]byte(rows[i].InputParts), &parts); err != nil {
				t.Fatal(err)
			}
			return parts[slices.IndexFunc(parts, func(p struct{ Key, Digest string }) bool { return p.Key == key })].Digest
		}
		testdb.MayChange(t, w.st, "evaluations")
		w.write(func(ctx context.Context, tx *db.Client) error {
			// One whose part is gone, one whose part is another, one whose row names another part.
			if err := exec(ctx, tx, "DELETE FROM blobs WHERE digest = $1", partOf(1, "evaluated_at")); err != nil {
				return err
			}
			if err := exec(ctx, tx, "UPDATE blobs SET content = (SELECT content FROM blobs WHERE digest = $1) WHERE digest = $2", partOf(3, "evaluated_at"), partOf(2, "evaluated_at")); err != nil {
				return err
			}
			return exec(ctx, tx, "UPDATE evaluations SET input_parts = $1 WHERE id = $2", strings.Replace(rows[3].InputParts, partOf(3, "evaluated_at"), partOf(4, "evaluated_at"), 1), rows[3].ID)
		})
		if b := w.backtest(w.admin, in); b.EvaluationsConsidered != 2 || b.FlipCount != 2 || b.Unreadable != 3 || b.Digest == first.Digest {
			t.Errorf("after what was altered: %s", told(b))
		}
	})
}

func TestRule25_ABacktestCountsWaiversAsTheyWere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("strict", "DEV", entry, block, "wrong", "fine")
		w.pass("1.0")
		w.pass("1.1")
		row := must(w.st.Read().Evaluation.Query().First(w.admin))(t)
		testdb.MayChange(t, w.st, "evaluations")
		w.write(func(ctx context.Context, tx *db.Client) error {
			return exec(ctx, tx, "UPDATE evaluations SET waivers = $1 WHERE id = $2",
				`[{"id":7,"policy":"draft","code":"WRONG","expires_at":"2027-01-01T00:00:00Z"}]`, row.ID)
		})
		in := gate.BacktestPolicyInput{Policy: ptr("strict"), Rules: []string{"fine"}}
		w.tells("mended", w.backtest(w.admin, in), "2 considered, 2 flips, 0 unreadable",
			"checkout@1.0 FAIL→PASS for ever: fine PASS", "checkout@1.1 FAIL→PASS for ever: fine PASS")
		w.guard("other", "QA", entry, warn, "fine")
		d := draft("wrong")
		d.Waivable = true
		w.tells("closed already", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: d}), "2 considered, 0 flips, 0 unreadable")
		w.disable("strict")
		w.pass("1.2")
		newest := must(w.st.Read().Evaluation.Query().Order(db.Desc("id")).First(w.admin))(t)
		w.tells("not waived", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: d}), "3 considered, 1 flips, 0 unreadable", "checkout@1.2 PASS→FAIL for ever: wrong VIOLATION")
		w.write(func(ctx context.Context, tx *db.Client) error {
			return exec(ctx, tx, "UPDATE evaluations SET waivers = (SELECT waivers FROM evaluations WHERE id = $1) WHERE id = $2", row.ID, newest.ID)
		})
		w.tells("waived", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: d}), "3 considered, 0 flips, 0 unreadable")
		d.Waivable = false
		w.tells("waived where none is taken", w.backtest(w.admin, gate.BacktestPolicyInput{Draft: d}), "3 considered, 1 flips, 0 unreadable", "checkout@1.2 PASS→FAIL for ever: wrong VIOLATION")
	})
}

func TestRule45_ABacktestShowsWhatIsInReachAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("lenient", "DEV", entry, warn, "wrong")
		w.pass("1.0")
		books := must(w.catalog.Project(w.admin, "books"))(t)
		p, _ := auth.From(w.releaser)
		p.Grants = []auth.Grant{{Role: auth.Viewer, Project: books.ID}}
		elsewhere := auth.With(context.Background(), p)
		in := gate.BacktestPolicyInput{Policy: ptr("lenient")}
		w.tells("elsewhere", w.backtest(elsewhere, in), "0 considered, 0 flips, 0 unreadable")
		w.tells("there", w.backtest(w.releaser, in), "1 considered, 1 flips, 0 unreadable", "checkout@1.0 WARN→FAIL for ever: wrong VIOLATION")
		_ = w.refused(fault.Unauthenticated, "", "token", func() error {
			_, err := w.gates.Backtest(context.Background(), in)
			return err
		})
	})
}

func TestRule25_AQuestionThatIsWrongIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("there", "DEV", entry, warn, "wrong")
		there := ptr("there")
		named := draft("wrong")
		named.Name = "there"
		for name, c := range map[string]struct {
			in         gate.BacktestPolicyInput
			kind       fault.Kind
			path, says string
		}{
			"nothing":                {gate.BacktestPolicyInput{}, fault.BadInput, "input", "either policy"},
			"both":                   {gate.BacktestPolicyInput{Policy: there, Draft: draft("wrong")}, fault.BadInput, "input", "either policy"},
			"a draft and rules":      {gate.BacktestPolicyInput{Draft: draft("wrong"), Rules: []string{"wrong"}}, fault.BadInput, "input.rules", "leave these out"},
			"no such policy":         {gate.BacktestPolicyInput{Policy: ptr("none")}, fault.NotFound, "input.policy", `no policy "none"`},
			"no such mode":           {gate.BacktestPolicyInput{Policy: there, Mode: ptr("SHOUT")}, fault.BadInput, "input.mode", "allowed here"},
			"no such rule":           {gate.BacktestPolicyInput{Policy: there, Rules: []string{"none"}}, fault.BadInput, "input.rules.0", `no rule "none"`},
			"a draft without a rule": {gate.BacktestPolicyInput{Draft: draft()}, fault.BadInput, "input.draft.rules", "1 to"},
			"a draft of that name":   {gate.BacktestPolicyInput{Draft: named}, fault.Conflict, "input.draft.name", "already"},
			"a time that ends first": {gate.BacktestPolicyInput{Policy: there, From: ptr(start), To: ptr(start)}, fault.BadInput, "input.from", "before"},
			"ten years":              {gate.BacktestPolicyInput{Policy: there, From: ptr(start.AddDate(-10, 0, 0))}, fault.BadInput, "input.from", "5 years"},
		} {
			t.Run(name, func(t *testing.T) {
				w.tb = t
				_ = w.refused(c.kind, c.path, c.says, func() error {
					_, err := w.gates.Backtest(w.releaser, c.in)
					return err
				})
			})
		}
	})
}

func TestABacktestEndsWithItsCallerAndLeavesItsPlace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("lenient", "DEV", entry, warn, "wrong", "fine")
		w.guard("slow", "QA", entry, warn, "endless")
		w.pass("1.0")
		ended := make(chan error)
		leave := make([]context.CancelFunc, 2)
		for i := range leave {
			ctx, cancel := context.WithCancel(w.admin)
			leave[i] = cancel
			go func() {
				_, err := w.gates.Backtest(ctx, gate.BacktestPolicyInput{Draft: draft("endless"), To: ptr(w.clock().Add(time.Hour))})
				ended <- err
			}()
		}
		for w.gates.Backtests() < 2 {
			time.Sleep(time.Millisecond)
		}
		_ = w.refused(fault.ResourceExhausted, "", "try again", func() error {
			_, err := w.gates.Backtest(w.admin, gate.BacktestPolicyInput{Policy: ptr("lenient")})
			return err
		})
		for _, cancel := range leave {
			cancel()
		}
		for range leave {
			if err := <-ended; err == nil {
				t.Error("a back-test whose caller was gone gave an answer")
			}
		}
		w.tells("afterwards", w.backtest(w.admin, gate.BacktestPolicyInput{Policy: ptr("lenient")}),
			"1 considered, 1 flips, 0 unreadable", "checkout@1.0 WARN→FAIL for ever: wrong VIOLATION, fine PASS")
	})
}

func TestRule25_AtMostAThousandFlipsAreToldAndAllAreCounted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.guard("lenient", "DEV", entry, warn, "wrong")
		w.pass("1.0")
		w.copies(1200)
		b := w.backtest(w.admin, gate.BacktestPolicyInput{Policy: ptr("lenient")})
		if len(b.Flips) != 1000 || b.FlipCount != 1201 || b.EvaluationsConsidered != 1201 {
			t.Errorf("%d told, %d flips, %d considered", len(b.Flips), b.FlipCount, b.EvaluationsConsidered)
		}
	})
}

// copies records the one evaluation that there is again, so many times.
func (w *world) copies(n int) {
	w.tb.Helper()
	w.write(func(ctx context.Context, tx *db.Client) error {
		e := tx.Evaluation.Query().OnlyX(ctx)
		for from := 0; from < n; from += 200 {
			var list []*db.EvaluationCreate
			for i := from; i < min(n, from+200); i++ {
				list = append(list, tx.Evaluation.Create().SetEvalID(fmt.Sprintf("eval-copy-%d", i)).SetStageName(e.StageName).SetGateKind(e.GateKind).
					SetDecision(e.Decision).SetExplanation(e.Explanation).SetEvaluatedAt(e.EvaluatedAt.Add(time.Second)).SetInputDigest(e.InputDigest).
					SetInputParts(e.InputParts).SetCapabilitiesDigest(e.CapabilitiesDigest).SetPolicies(e.Policies).SetFeeds(e.Feeds).SetWaivers(e.Waivers).
					SetResultsDigest(e.ResultsDigest).SetProjectID(e.ProjectID).SetVersionID(e.VersionID).SetPromotionID(e.PromotionID))
			}
			if err := tx.Evaluation.CreateBulk(list...).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
