package deployment_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestWhatCannotBeIsRefusedAndLeavesNoTrace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		with := func(change func(*input)) input {
			in := succeeded("new")
			change(&in)
			return in
		}
		for name, c := range map[string]struct {
			who        context.Context
			in         input
			kind       fault.Kind
			path, says string
		}{
			"no environment":              {w.admin, with(func(in *input) { in.Environment = "" }), fault.BadInput, "input.environment", "at least 1"},
			"an environment of two lines": {w.admin, with(func(in *input) { in.Environment = "a\nb" }), fault.BadInput, "input.environment", "one line"},
			"a long environment":          {w.admin, with(func(in *input) { in.Environment = strings.Repeat("a", 256) }), fault.BadInput, "input.environment", "at most 255"},
			"a long cluster":              {w.admin, with(func(in *input) { in.Cluster = ptr(strings.Repeat("a", 256)) }), fault.BadInput, "input.cluster", "at most 255"},
			"an unknown kind":             {w.admin, with(func(in *input) { in.Kind = "PARTY" }), fault.BadInput, "input.kind", "PARTY"},
			"an unknown status":           {w.admin, with(func(in *input) { in.Status = "MAYBE" }), fault.BadInput, "input.status", "MAYBE"},
			"a beginning in the future":   {w.admin, with(func(in *input) { in.StartedAt = at(6) }), fault.BadInput, "input.startedAt", "future"},
			"an end in the future":        {w.admin, with(func(in *input) { in.FinishedAt = at(6) }), fault.BadInput, "input.finishedAt", "future"},
			"an end before the beginning": {w.admin, with(func(in *input) { in.StartedAt, in.FinishedAt = at(-1), at(-2) }), fault.BadInput, "input.finishedAt", "before"},
			"an end of what goes on":      {w.admin, with(func(in *input) { in.Status, in.FinishedAt = "IN_PROGRESS", at(-1) }), fault.BadInput, "input.finishedAt", "under way"},
			"no such version":             {w.admin, succeeded("9"), fault.NotFound, "input.version", "no version"},
			"a draft":                     {w.admin, succeeded("draft"), fault.FailedPrecondition, "input.version", "lockApplicationVersion"},
			"a version out of reach":      {w.stranger, succeeded("new"), fault.NotFound, "input.version", "no version"},
			"a viewer":                    {w.viewer, succeeded("new"), fault.Forbidden, "", "CONTRIBUTOR"},
			"an id that is none":          {w.admin, with(func(in *input) { in.ID = ptr("x") }), fault.BadInput, "input.id", "not the id"},
		} {
			t.Run(name, func(t *testing.T) {
				w.tb = t
				w.refused(c.who, c.in, c.kind, c.path, c.says)
			})
		}
		if rollouts, events := w.traces(); rollouts+events != 0 {
			t.Errorf("%d rollouts and %d events were left behind", rollouts, events)
		}
	})
}

func TestARolloutSaysWhatTheVersionWasWorth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for version, want := range map[string]string{
			"new": "NOT_RELEASED", "released": "RELEASED", "trusted": "TRUSTED", "doubtful": "RELEASED", "archived": "NOT_RELEASED",
		} {
			d := w.record(succeeded(version))
			if string(d.Decision) != want || d.FinishedAt == nil || !d.FinishedAt.Equal(start) {
				t.Errorf("%s is %s, ended at %v; want %s, now", version, d.Decision, d.FinishedAt, want)
			}
			sys := auth.System(context.Background())
			e := w.st.Read().ActivityEvent.Query().Where(activityevent.Subject("gateway@" + version)).OnlyX(sys)
			changes, err := activity.Changes(sys, e)
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, c := range changes {
				if c.Field == "decision" {
					said = *c.To
				}
			}
			flagged := strings.Contains(e.Summary, "which was never released")
			if said != want || flagged != (want == "NOT_RELEASED") || e.Result != activityevent.ResultSUCCESS {
				t.Errorf("%s: the event says %s, %s: %q", version, e.Result, said, e.Summary)
			}
		}
	})
}

func TestWhatSucceededLastRunsWhateverTheOrderOfReports(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ended := func(version, status string, minutes int) {
			in := succeeded(version)
			in.Status, in.FinishedAt = status, at(minutes)
			w.record(in)
		}
		for _, step := range []struct {
			version, status string
			ended           int
			want            string
		}{
			{"new", "FAILED", -90, ""},
			{"new", "SUCCEEDED", -60, "gateway@new"},
			{"released", "SUCCEEDED", -70, "gateway@new"}, // ended earlier, reported later
			{"trusted", "FAILED", -50, "gateway@new"},
			{"trusted", "SUCCEEDED", -60, "gateway@trusted"}, // at one instant: the one reported later
			{"released", "SUCCEEDED", -10, "gateway@released"},
		} {
			ended(step.version, step.status, step.ended)
			if got := w.live(deployment.DeploymentFilter{}); got != step.want {
				t.Errorf("after %v %q runs", step, got)
			}
		}
		elsewhere := succeeded("new")
		elsewhere.Cluster = ptr("eu-1")
		w.record(elsewhere)
		elsewhere.Environment = "staging"
		w.record(elsewhere)
		if got := w.live(deployment.DeploymentFilter{Environments: []string{"production"}}); got != "gateway@released gateway@new" {
			t.Errorf("in production %q runs", got)
		}
	})
}

func TestARolloutEndsOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		begun := succeeded("released")
		begun.Status, begun.StartedAt, begun.Cluster = "IN_PROGRESS", at(-10), ptr("eu")
		d := w.record(begun)
		if d.FinishedAt != nil || d.Live {
			t.Errorf("under way, it ended at %v, live %v", d.FinishedAt, d.Live)
		}
		end := begun
		end.ID, end.StartedAt, end.Status = ptr(d.GlobalID()), nil, "SUCCEEDED"
		for path, change := range map[string]func(*input){
			"input.applicationKey": func(in *input) { in.ApplicationKey = "ledger" },
			"input.version":        func(in *input) { in.Version = "new" },
			"input.environment":    func(in *input) { in.Environment = "staging" },
			"input.cluster":        func(in *input) { in.Cluster = nil },
			"input.kind":           func(in *input) { in.Kind = "HOTFIX" },
			"input.startedAt":      func(in *input) { in.StartedAt = at(-11) },
		} {
			other := end
			change(&other)
			w.refused(w.admin, other, fault.BadInput, path, "recorded with another")
		}
		early := end
		early.FinishedAt = at(-11)
		w.refused(w.contributor, early, fault.BadInput, "input.finishedAt", "cannot have ended before")
		for range 2 {
			if got := w.record(end); got.ID != d.ID || !got.Live || got.FinishedAt == nil || !got.FinishedAt.Equal(start) {
				t.Errorf("ended, it is %v", got)
			}
		}
		failed := end
		failed.Status = "FAILED"
		w.refused(w.contributor, failed, fault.Conflict, "input.status", "SUCCEEDED")
		again := end
		again.Status = "IN_PROGRESS"
		w.refused(w.contributor, again, fault.Conflict, "input.status", "SUCCEEDED")
		theirs := succeeded("released")
		theirs.ApplicationKey, theirs.ID = "ledger", end.ID
		w.refused(w.stranger, theirs, fault.NotFound, "input.id", "no such deployment")
		if rollouts, events := w.traces(); rollouts != 1 || events != 2 {
			t.Errorf("%d rollouts and %d events, want one and two", rollouts, events)
		}
	})
}

func TestAReportWithABeginningMayComeAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		begun := succeeded("released")
		begun.Status, begun.StartedAt = "IN_PROGRESS", ptr(start.Add(-time.Hour+1234*time.Nanosecond)) // finer than it is kept
		d := w.record(begun)
		ended := begun
		ended.Status = "SUCCEEDED"
		for _, in := range []input{begun, ended, ended, begun} {
			if got := w.record(in); got.ID != d.ID {
				t.Errorf("%s again is another rollout", in.Status)
			}
		}
		byID := ended
		byID.ID = ptr(d.GlobalID())
		w.record(byID)
		failed := ended
		failed.Status = "FAILED"
		w.refused(w.contributor, failed, fault.Conflict, "input.status", "SUCCEEDED")
		if rollouts, events := w.traces(); rollouts != 1 || events != 2 {
			t.Errorf("%d rollouts and %d events, want one and two", rollouts, events)
		}
		for range 2 {
			w.record(succeeded("released"))
		}
		if rollouts, _ := w.traces(); rollouts != 3 {
			t.Errorf("%d rollouts: without a beginning every report is one", rollouts)
		}
	})
}

func TestARolloutDoesNotEndBeforeItBeganByAnotherClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := succeeded("released")
		in.StartedAt = at(4)
		if d := w.record(in); !d.FinishedAt.Equal(*in.StartedAt) {
			t.Errorf("it began at %s and ended at %s", d.StartedAt, d.FinishedAt)
		}
	})
}

func TestOfEightAtOnceOneIsLive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		together(8, func(i int) {
			in := succeeded([]string{"new", "released"}[i%2])
			in.FinishedAt = at(-i)
			w.record(in)
		})
		if got := w.live(deployment.DeploymentFilter{}); got != "gateway@new" {
			t.Errorf("%q runs, want what ended last", got)
		}
		same := succeeded("trusted")
		same.StartedAt = at(-1)
		together(8, func(int) { w.record(same) })
		if rollouts, events := w.traces(); rollouts != 9 || events != 9 {
			t.Errorf("%d rollouts and %d events, want nine each: the same report at once is one", rollouts, events)
		}
		if got := w.live(deployment.DeploymentFilter{}); got != "gateway@trusted" {
			t.Errorf("%q runs", got)
		}
	})
}

func TestRolloutsAreListedOldestFirstByIndex(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, version := range []string{"new", "released", "trusted"} {
			w.record(succeeded(version))
		}
		staged := succeeded("new")
		staged.Environment = "staging"
		w.record(staged)
		theirs := succeeded("new")
		theirs.ApplicationKey = "ledger"
		if _, err := w.deployments.Record(w.stranger, theirs); err != nil {
			t.Fatal(err)
		}
		type filter = deployment.DeploymentFilter
		for name, c := range map[string]struct {
			filter       *filter
			want, narrow string // pay's contributor sees that much
		}{
			"all":                  {nil, "gateway@new gateway@released gateway@trusted gateway@new ledger@new", "gateway@new gateway@released gateway@trusted gateway@new"},
			"applications":         {&filter{ApplicationKeys: []string{"ledger", "nothing"}}, "ledger@new", ""},
			"no application":       {&filter{ApplicationKeys: []string{"nothing"}}, "", ""},
			"environments":         {&filter{Environments: []string{"staging"}}, "gateway@new", "gateway@new"},
			"what runs":            {&filter{Live: ptr(true)}, "gateway@trusted gateway@new ledger@new", "gateway@trusted gateway@new"},
			"what runs no longer":  {&filter{Live: ptr(false)}, "gateway@new gateway@released", "gateway@new gateway@released"},
			"what no gate let out": {&filter{Live: ptr(true), Decisions: []string{"NOT_RELEASED"}}, "gateway@new ledger@new", "gateway@new"},
			"all that must hold":   {&filter{ApplicationKeys: []string{"gateway"}, Environments: []string{"production"}, Decisions: []string{"RELEASED", "TRUSTED"}}, "gateway@released gateway@trusted", "gateway@released gateway@trusted"},
		} {
			t.Run(name, func(t *testing.T) {
				for who, want := range map[context.Context]string{w.admin: c.want, w.contributor: c.narrow} {
					if got := w.list(t, who, c.filter); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
					if name == "all" || name == "environments" || name == "what runs no longer" || want == "" {
						continue // what takes nearly all is read in the order of the list; what takes nothing is not read
					}
					testdb.NoScans(who, t, w.dsn, func(ctx context.Context) error {
						_, err := w.deployments.List(ctx, c.filter, nil, ptr(10), nil, nil)
						return err
					})
				}
			})
		}
		t.Run("of versions, and recording", func(t *testing.T) {
			of, err := w.deployments.OfVersions(w.contributor, []int{w.versions["gateway@new"], w.versions["gateway@draft"], w.versions["ledger@new"]})
			if err != nil || len(of) != 1 || len(of[w.versions["gateway@new"]]) != 2 || of[w.versions["gateway@new"]][1].Environment != "staging" {
				t.Errorf("got %v, %v", of, err)
			}
			testdb.NoScans(w.contributor, t, w.dsn, func(ctx context.Context) error {
				_, err := w.deployments.OfVersions(ctx, []int{1, 2})
				return err
			})
			testdb.NoScans(w.contributor, t, w.dsn, func(ctx context.Context) error {
				in := succeeded("new")
				in.StartedAt = at(-1)
				_, err := w.deployments.Record(ctx, in)
				return err
			})
		})
	})
}

func TestFiltersAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for path, f := range map[string]deployment.DeploymentFilter{
			"filter.applicationKeys": {ApplicationKeys: make([]string, 101)},
			"filter.environments":    {Environments: make([]string, 21)},
		} {
			_, err := w.deployments.List(w.admin, &f, nil, ptr(1), nil, nil)
			if got, ok := errors.AsType[*fault.Error](err); !ok || got.Path != path {
				t.Errorf("got %v, want a fault at %s", err, path)
			}
		}
	})
}
