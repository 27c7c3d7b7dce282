package waiver_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

func TestRule26_RequestsThatCannotBeAreRefusedAndLeaveNoTrace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 1, 30, "a")
		d.guard("strict", false, 1, 30, "b")
		d.guard("short", true, 2, 7, "a", "b")
		before := len(d.st.Read().ActivityEvent.Query().AllX(d.admin))
		longest := d.now.AddDate(0, 0, 30)
		for name, c := range map[string]struct {
			who        context.Context
			in         wish
			kind       fault.Kind
			path, says string
		}{
			"about nothing":                    {d.asker, request(func(in *wish) { in.Policy = nil }), fault.BadInput, "input.policy", "which rule"},
			"about both":                       {d.asker, request(func(in *wish) { in.Rule = ptr("a") }), fault.BadInput, "input.rule", "one of them"},
			"a policy nobody knows":            {d.asker, request(func(in *wish) { in.Policy = ptr("none") }), fault.NotFound, "input.policy", "no policy"},
			"a rule nobody knows":              {d.asker, request(of("none")), fault.NotFound, "input.rule", "no rule"},
			"a rule that nobody asks":          {d.asker, request(of("alone")), fault.FailedPrecondition, "input.rule", "nothing to waive"},
			"a policy that takes none":         {d.asker, request(func(in *wish) { in.Policy = ptr("strict") }), fault.FailedPrecondition, "input.policy", `policy "strict" takes no waivers`},
			"a rule of one that takes none":    {d.asker, request(of("b")), fault.FailedPrecondition, "input.rule", `policy "strict" takes no waivers`},
			"an application nobody knows":      {d.asker, request(func(in *wish) { in.ApplicationKey = "none" }), fault.NotFound, "input.applicationKey", "no application"},
			"an application out of reach":      {d.asker, request(func(in *wish) { in.ApplicationKey = "ledger" }), fault.NotFound, "input.applicationKey", "no application"},
			"a version that is not there":      {d.asker, request(func(in *wish) { in.Version = ptr("1.0") }), fault.NotFound, "input.version", "no version"},
			"a long code":                      {d.asker, request(func(in *wish) { in.Code = ptr(strings.Repeat("a", 129)) }), fault.BadInput, "input.code", "at most 128"},
			"a long subject":                   {d.asker, request(func(in *wish) { in.Subject = ptr(strings.Repeat("a", 4097)) }), fault.BadInput, "input.subject", "at most 4096"},
			"no vulnerability":                 {d.asker, request(func(in *wish) { in.Vulnerability = ptr("") }), fault.BadInput, "input.vulnerability", "at least 1"},
			"no purl":                          {d.asker, request(func(in *wish) { in.Purl = ptr("left-pad") }), fault.BadInput, "input.purl", "pkg"},
			"no reason":                        {d.asker, request(func(in *wish) { in.Justification = "so" }), fault.BadInput, "input.justification", "at least 10"},
			"what is over":                     {d.asker, request(until(d.now)), fault.BadInput, "input.expiresAt", "over already"},
			"longer than the policy allows":    {d.asker, request(until(longest.Add(time.Microsecond))), fault.BadInput, "input.expiresAt", "at most 30 days"},
			"longer than one of them allows":   {d.asker, request(of("a"), until(longest)), fault.BadInput, "input.expiresAt", `policy "short" holds for at most 7 days`},
			"by whoever may only decide":       {d.first, request(), fault.Forbidden, "", "CONTRIBUTOR"},
			"by whoever is nobody":             {context.Background(), request(), fault.NotFound, "input.applicationKey", "no application"},
			"an approver's of another project": {as(d, auth.Contributor, 999), request(), fault.NotFound, "input.applicationKey", "no application"},
		} {
			_, err := d.waivers.Request(c.who, c.in)
			t.Run(name, func(t *testing.T) { refused(t, err, c.kind, c.path, c.says) })
		}
		if n, events := d.st.Read().Waiver.Query().CountX(d.admin), len(d.st.Read().ActivityEvent.Query().AllX(d.admin)); n != 0 || events != before {
			t.Errorf("%d waivers and %d events were left behind", n, events-before)
		}
		made := must(d.waivers.Request(d.asker, request(of("a"), until(d.now.AddDate(0, 0, 7)), func(in *wish) {
			in.Vulnerability, in.Purl = ptr("cve-2026-1"), ptr("pkg:NPM/a@1.0.0")
		})))(t)
		if made.ApprovalsNeeded != 2 || made.Vulnerability != "CVE-2026-1" || made.Purl != "pkg:npm/a@1.0.0" || made.State != "PENDING" || made.ProjectID != d.pay.ID {
			t.Errorf("it is %v", made)
		}
	})
}

func of(rule string) func(*wish) { return func(in *wish) { in.Policy, in.Rule = nil, &rule } }

func until(at time.Time) func(*wish) { return func(in *wish) { in.ExpiresAt = at } }

func as(d *desk, role auth.Role, project int) context.Context {
	p, _ := auth.From(d.asker)
	p.Grants = []auth.Grant{{Role: role, Project: project}}
	return auth.With(context.Background(), p)
}

func TestTheSameRequestAgainIsTheOneThatIsThere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 1, 30, "a")
		var all sync.WaitGroup
		ids := make([]int, 6)
		for i := range ids {
			all.Go(func() {
				if w, err := d.waivers.Request(d.asker, request()); err != nil {
					t.Error(err)
				} else {
					ids[i] = w.ID
				}
			})
		}
		all.Wait()
		if len(slices.Compact(ids)) != 1 || len(d.events()) != 1 {
			t.Errorf("they are %v, with events %v", ids, d.events())
		}
	})
}

// TestRule27_EveryStateAndWhatCanBeDoneInIt brings a waiver into each state, and tries everything there.
func TestRule27_EveryStateAndWhatCanBeDoneInIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 2, 30, "a")
		yes := func(who context.Context) func(*db.Waiver) error {
			return func(w *db.Waiver) error { return d.decide(who, w, true) }
		}
		no := func(w *db.Waiver) error { return d.decide(d.third, w, false) }
		cancel := func(w *db.Waiver) error { return d.cancel(d.asker, w) }
		revoke := func(w *db.Waiver) error { return d.revoke(d.first, w) }
		late := func(*db.Waiver) error { d.now = start.Add(24 * time.Hour); return nil }
		type step = func(*db.Waiver) error
		for state, c := range map[string]struct {
			steps []step
			as    string
			may   string
			event string
		}{
			"new":                       {nil, "PENDING", "yes no cancel", "REQUESTED"},
			"half approved":             {[]step{yes(d.first)}, "PENDING", "yes no cancel", "REQUESTED APPROVED"},
			"approved":                  {[]step{yes(d.first), yes(d.second)}, "APPROVED", "revoke", "REQUESTED APPROVED APPROVED"},
			"rejected":                  {[]step{yes(d.first), no}, "REJECTED", "", "REQUESTED APPROVED REJECTED"},
			"cancelled":                 {[]step{cancel}, "CANCELLED", "", "REQUESTED CANCELLED"},
			"revoked":                   {[]step{yes(d.first), yes(d.second), revoke}, "REVOKED", "", "REQUESTED APPROVED APPROVED REVOKED"},
			"expired, undecided":        {[]step{late}, "EXPIRED", "", "REQUESTED"},
			"expired, after it counted": {[]step{yes(d.first), yes(d.second), late}, "EXPIRED", "", "REQUESTED APPROVED APPROVED"},
		} {
			for try, do := range map[string]step{"yes": yes(d.second), "no": no, "cancel": cancel, "revoke": revoke} {
				if state == "new" && try == "yes" {
					do = yes(d.first)
				}
				t.Run(state+", "+try, func(t *testing.T) {
					d.now = start
					before := len(d.events())
					w := d.ask(state + try)
					for _, s := range c.steps {
						if err := s(w); err != nil {
							t.Fatal(err)
						}
					}
					if got := d.state(w); got != c.as {
						t.Fatalf("it is %s, want %s", got, c.as)
					}
					if got := strings.Join(d.events()[before:], " "); got != c.event {
						t.Errorf("events %s, want %s", got, c.event)
					}
					after := len(d.events())
					err := do(w)
					if slices.Contains(strings.Fields(c.may), try) {
						if err != nil || len(d.events()) != after+1 {
							t.Errorf("it cannot be done: %v", err)
						}
						return
					}
					refused(t, err, fault.FailedPrecondition, "input.id", "it is "+c.as)
					if d.state(w) != c.as || len(d.events()) != after {
						t.Errorf("refused it changed: %s", d.state(w))
					}
				})
			}
		}
	})
}

func TestRule27_WhoAsksCannotDecideAndNobodyDecidesTwice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 2, 30, "a")
		w := d.ask("A")
		refused(t, d.decide(d.asker, w, true), fault.Forbidden, "", "who asks for a waiver cannot decide")
		own := must(d.waivers.Request(d.admin, request()))(t)
		refused(t, d.decide(d.admin, own, true), fault.Forbidden, "", "who asks for a waiver cannot decide")
		refused(t, d.decide(as(d, auth.Contributor, d.pay.ID), own, true), fault.Forbidden, "", "WAIVER_APPROVER")
		refused(t, d.cancel(as2(d), w), fault.Forbidden, "", "only who asked")
		if err := d.decide(d.first, w, true); err != nil {
			t.Fatal(err)
		}
		refused(t, d.decide(d.first, w, true), fault.Conflict, "input.id", "already")
		refused(t, d.decide(d.first, w, false), fault.Conflict, "input.id", "already")
		if d.state(w) != "PENDING" {
			t.Errorf("it is %s", d.state(w))
		}
		for _, bad := range []string{"x", "UHJvamVjdDox"} {
			_, err := d.waivers.Decide(d.first, waiver.DecideWaiverInput{ID: bad})
			refused(t, err, fault.BadInput, "input.id", "not the id")
		}
		stranger := auth.With(context.Background(), auth.Principal{ID: 1, Name: "x", Grants: []auth.Grant{{Role: auth.WaiverApprover, Project: 999}}})
		refused(t, d.decide(stranger, w, true), fault.NotFound, "input.id", "no such waiver")
	})
}

// as2 is somebody else who may ask.
func as2(d *desk) context.Context {
	p, _ := auth.From(d.second)
	p.Grants = []auth.Grant{{Role: auth.Contributor, Project: d.pay.ID}}
	return auth.With(context.Background(), p)
}

func TestRule27_OfDecisionsAtOnceOneComesAfterTheOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 2, 30, "a")
		for range 5 {
			w := d.ask(time.Now().String())
			var all sync.WaitGroup
			var mu sync.Mutex
			done := 0
			for _, do := range []func() error{
				func() error { return d.decide(d.first, w, true) }, func() error { return d.decide(d.second, w, true) },
				func() error { return d.decide(d.third, w, false) }, func() error { return d.cancel(d.asker, w) },
			} {
				all.Go(func() {
					if do() == nil {
						mu.Lock()
						done++
						mu.Unlock()
					}
				})
			}
			all.Wait()
			said := must(d.waivers.DecisionsOf(d.admin, []int{w.ID}))(t)[w.ID]
			state, yes, no := d.state(w), 0, 0
			for _, s := range said {
				if s.Approved {
					yes++
				} else {
					no++
				}
			}
			fits := map[string]bool{"APPROVED": yes == 2 && no == 0 && done == 2, "REJECTED": no == 1 && done == yes+1, "CANCELLED": no == 0 && yes < 2 && done == yes+1}
			if !fits[state] {
				t.Errorf("it is %s by %d yes and %d no, of %d", state, yes, no, done)
			}
		}
	})
}

func TestRule27_WhatExpiresIsNotedAndTheOwnersAreToldOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 1, 30, "a")
		w := must(d.waivers.Request(d.asker, request(until(start.Add(10*24*time.Hour)))))(t)
		pending := must(d.waivers.Request(d.asker, request(of("a"), until(start.Add(10*24*time.Hour)))))(t)
		if err := d.decide(d.first, w, true); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			at    time.Duration
			event string
		}{
			{7*24*time.Hour - time.Microsecond, ""},
			{7 * 24 * time.Hour, "EXPIRING"},
			{10*24*time.Hour - time.Microsecond, ""},
			{10 * 24 * time.Hour, "EXPIRED EXPIRED"},
			{11 * 24 * time.Hour, ""},
		} {
			d.now = start.Add(c.at)
			before := len(d.events())
			var all sync.WaitGroup
			for range 3 { // as many servers
				all.Go(func() {
					if err := d.waivers.Expire(d.admin); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if got := strings.Join(d.events()[before:], " "); got != c.event {
				t.Errorf("after %v: %s, want %s", c.at, got, c.event)
			}
		}
		for _, id := range []int{w.ID, pending.ID} {
			if row := must(d.st.Read().Waiver.Get(d.admin, id))(t); row.State != "EXPIRED" || row.EndedAt == nil {
				t.Errorf("it is %v", row)
			}
		}
		n := d.st.Read().ActivityOpening.Query().CountX(d.admin)
		if n == 0 {
			t.Error("nobody was named")
		}
	})
}

func TestListsOfWaivers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		d := newDesk(t, dsn)
		d.guard("p", true, 1, 30, "a")
		short := must(d.waivers.Request(d.asker, request(until(start.Add(time.Hour)))))(t)
		long := d.ask("A")
		if err := d.decide(d.first, long, true); err != nil {
			t.Fatal(err)
		}
		d.now = start.Add(time.Hour)
		for name, c := range map[string]struct {
			f    *waiver.WaiverFilter
			want []int
		}{
			"all":                {nil, []int{short.ID, long.ID}},
			"expired":            {&waiver.WaiverFilter{States: []string{"EXPIRED"}}, []int{short.ID}},
			"pending":            {&waiver.WaiverFilter{States: []string{"PENDING"}}, nil},
			"approved or so":     {&waiver.WaiverFilter{States: []string{"APPROVED", "REVOKED"}}, []int{long.ID}},
			"expiring":           {&waiver.WaiverFilter{ExpiringBefore: ptr(start.Add(2 * time.Hour))}, []int{short.ID}},
			"of a policy":        {&waiver.WaiverFilter{Policy: ptr("p")}, []int{short.ID, long.ID}},
			"of a rule":          {&waiver.WaiverFilter{Rule: ptr("a")}, nil},
			"of applications":    {&waiver.WaiverFilter{ApplicationKeys: []string{"checkout", "x"}}, []int{short.ID, long.ID}},
			"of no applications": {&waiver.WaiverFilter{ApplicationKeys: []string{"x"}}, nil},
		} {
			var got []int
			for _, e := range must(d.waivers.List(d.asker, c.f, nil, nil, nil, nil))(t).Edges {
				got = append(got, e.Node.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		_, err := d.waivers.List(d.asker, &waiver.WaiverFilter{States: []string{"GONE"}}, nil, nil, nil, nil)
		refused(t, err, fault.BadInput, "filter.states.0", "no state")
	})
}
