package gate_test

import (
	"context"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule45_WholeEvaluationsAreReadWithinReach: with as many statements of SQL for one as for all.
func TestRule45_WholeEvaluationsAreReadWithinReach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		var ids []string
		for _, e := range must(w.promote("1.0", "QA"))(t).Evaluations {
			ids = append(ids, *e.EvalID)
		}
		for _, e := range w.st.Read().Evaluation.Query().AllX(w.admin) {
			ids = append(ids, e.EvalID)
		}
		seesAll := w.releaserOfAll()
		all := must(w.gates.Whole(seesAll, ids))(t)
		if len(all) < 4 {
			t.Fatalf("%d evaluations", len(all))
		}
		for _, e := range all {
			one := must(w.gates.Evaluation(seesAll, *e.EvalID))(t)
			input, capabilities := must(w.gates.Input(seesAll, one))(t), must(w.gates.Capabilities(seesAll, one))(t)
			results := must(w.gates.Results(seesAll, one))(t)
			if e.Input == nil || *e.Input != *input || e.Capabilities != *capabilities || len(e.Results) != len(results) {
				t.Errorf("evaluation %s is read otherwise alone", *e.EvalID)
			}
			for i, r := range e.Results {
				if e.Rego(r.Rule) == nil || r.Outcome != results[i].Outcome || r.Rule.Name != results[i].Rule.Name || r.Policy.Name != results[i].Policy.Name {
					t.Errorf("result %d of evaluation %s is another alone", i, *e.EvalID)
				}
			}
		}
		withheld := 0
		for _, e := range must(w.gates.Whole(w.releaser, ids))(t) {
			if e.Input == nil {
				withheld++
			}
		}
		if withheld == 0 {
			t.Error("inputs that name what is out of reach are shown")
		}
		if none := must(w.gates.Whole(seesAll, []string{"eval-entry-0000000000000000"}))(t); len(none) != 0 {
			t.Errorf("there is an evaluation that nobody made: %v", none)
		}
		count := func(ids ...string) int {
			return len(testdb.Plans(seesAll, t, dsn, func(ctx context.Context) error {
				_, err := w.gates.Whole(ctx, ids)
				return err
			}))
		}
		if one, many := count(ids[0]), count(ids...); one != many {
			t.Errorf("%d statements of SQL for one evaluation, %d for %d", one, many, len(all))
		}
	})
}
