package freeze_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

type wish = freeze.CreateFreezeInput

// hall has the applications checkout of project pay, with label tier=1, and ledger of project books.
type hall struct {
	st              *store.Store
	now             time.Time
	freezes         *freeze.Service
	admin, releaser context.Context
}

func newHall(tb testing.TB, dsn string) *hall {
	tb.Helper()
	h := &hall{st: testdb.Open(tb, dsn), now: start}
	clock := func() time.Time { return h.now }
	log := activity.New(h.st, clock)
	h.freezes = freeze.New(h.st, log, clock)
	sys := auth.System(context.Background())
	var p *db.Principal
	if err := h.st.InTx(sys, func(tx *db.Client) (err error) {
		p, err = tx.Principal.Create().SetName("ada").SetKind(principal.KindUSER).SetCreatedAt(start).Save(sys)
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	as := func(g auth.Grant) context.Context {
		return auth.With(context.Background(), auth.Principal{ID: p.ID, Name: "ada", Grants: []auth.Grant{g}})
	}
	h.admin = as(auth.Grant{Role: auth.OrganisationAdmin})
	c := catalog.New(h.st, log, clock)
	for key, project := range map[string]string{"checkout": "pay", "ledger": "books"} {
		made, err := c.CreateProject(h.admin, catalog.CreateProjectInput{Key: project, Name: project})
		if err != nil {
			tb.Fatal(err)
		}
		if project == "pay" {
			h.releaser = as(auth.Grant{Role: auth.Releaser, Project: made.ID})
		}
		if _, err := c.CreateApplication(h.admin, catalog.CreateApplicationInput{
			ProjectKey: project, Key: key, Name: key, Labels: []*catalog.LabelInput{{Key: "tier", Value: "1" + key[:1]}},
		}); err != nil {
			tb.Fatal(err)
		}
	}
	return h
}

func request(how ...func(*wish)) wish {
	in := wish{ProjectKey: ptr("pay"), Reason: "the quarter ends", EndsAt: start.Add(time.Hour)}
	for _, change := range how {
		change(&in)
	}
	return in
}

func refused(t *testing.T, err error, kind fault.Kind, path, says string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Path != path || !strings.Contains(f.Message, says) {
		t.Errorf("got %v, want %s at %q with %q", err, kind, path, says)
	}
}

func ptr[T any](v T) *T { return &v }

func TestRule18_FreezesThatCannotBeAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHall(t, dsn)
		none := func(in *wish) { in.ProjectKey = nil }
		label := func(in *wish) { in.ProjectKey, in.Label = nil, &labels.Label{Key: "tier", Value: "1c"} }
		until := func(at time.Time) func(*wish) { return func(in *wish) { in.EndsAt = at } }
		for name, c := range map[string]struct {
			who        context.Context
			in         wish
			kind       fault.Kind
			path, says string
		}{
			"of two things":               {h.admin, request(func(in *wish) { in.ApplicationKey = ptr("checkout") }), fault.BadInput, "input.applicationKey", "at most one"},
			"of a label and a project":    {h.admin, request(func(in *wish) { in.Label = &labels.Label{Key: "a", Value: "b"} }), fault.BadInput, "input.label", "at most one"},
			"of a label without a value":  {h.admin, request(none, func(in *wish) { in.Label = &labels.Label{Key: "a"} }), fault.BadInput, "input.label.value", "at least 1"},
			"without a reason":            {h.admin, request(func(in *wish) { in.Reason = "so" }), fault.BadInput, "input.reason", "at least 10"},
			"over already":                {h.admin, request(until(start)), fault.BadInput, "input.endsAt", "over already"},
			"that ends before it begins":  {h.admin, request(func(in *wish) { in.StartsAt = ptr(start.Add(2 * time.Hour)) }), fault.BadInput, "input.endsAt", "before it begins"},
			"longer than a year":          {h.admin, request(until(start.Add(366*24*time.Hour + time.Microsecond))), fault.BadInput, "input.endsAt", "a year"},
			"of a project nobody knows":   {h.admin, request(func(in *wish) { in.ProjectKey = ptr("none") }), fault.NotFound, "input.projectKey", "no project"},
			"of one out of reach":         {h.releaser, request(func(in *wish) { in.ProjectKey = ptr("books") }), fault.NotFound, "input.projectKey", "no project"},
			"of an application out of it": {h.releaser, request(none, func(in *wish) { in.ApplicationKey = ptr("ledger") }), fault.NotFound, "input.applicationKey", "no application"},
			"of everything, by a project": {h.releaser, request(none), fault.Forbidden, "", "organisation"},
			"of a label, by a project":    {h.releaser, request(label), fault.Forbidden, "", "organisation"},
		} {
			_, err := h.freezes.Create(c.who, c.in)
			t.Run(name, func(t *testing.T) { refused(t, err, c.kind, c.path, c.says) })
		}
		if n := h.st.Read().Freeze.Query().CountX(h.admin); n != 0 {
			t.Errorf("%d freezes were left behind", n)
		}
	})
}

func TestRule18_AFreezeHoldsFromItsBeginningToItsEndAndIsLiftedOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHall(t, dsn)
		in := request(func(in *wish) { in.StartsAt = ptr(start.Add(time.Minute)) })
		var all sync.WaitGroup
		made := make([]*db.Freeze, 4)
		for i := range made { // the same at once is one
			all.Go(func() {
				var err error
				if made[i], err = h.freezes.Create(h.releaser, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := h.st.Read().Freeze.Query().CountX(h.admin); n != 1 {
			t.Fatalf("there are %d", n)
		}
		f := made[0]
		for at, want := range map[time.Duration]bool{
			time.Minute - time.Microsecond: false, time.Minute: true, time.Hour - time.Microsecond: true, time.Hour: false,
		} {
			h.now = start.Add(at)
			if h.freezes.Active(f) != want {
				t.Errorf("after %v it is active: %v", at, !want)
			}
		}
		lift := func() error {
			_, err := h.freezes.Lift(h.releaser, freeze.LiftFreezeInput{ID: id.Global("Freeze", f.ID)})
			return err
		}
		h.now = start.Add(time.Hour)
		refused(t, lift(), fault.FailedPrecondition, "input.id", "over since")
		h.now = start.Add(2 * time.Minute)
		if err := lift(); err != nil {
			t.Fatal(err)
		}
		refused(t, lift(), fault.FailedPrecondition, "input.id", "was lifted")
		if again, err := h.freezes.Create(h.releaser, in); err != nil || again.ID == f.ID {
			t.Errorf("after it was lifted it is the same: %v", err)
		}
	})
}

func TestRule18_WhichFreezesCoverAnApplication(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHall(t, dsn)
		var ids []int
		for _, in := range []wish{
			request(), request(func(in *wish) { in.ProjectKey = ptr("books") }), request(func(in *wish) { in.ProjectKey = nil }),
			request(func(in *wish) { in.ProjectKey, in.ApplicationKey = nil, ptr("checkout") }),
			request(func(in *wish) { in.ProjectKey, in.Label = nil, &labels.Label{Key: "tier", Value: "1l"} }),
			request(func(in *wish) { in.StartsAt = ptr(start.Add(time.Minute)) }),
		} {
			f, err := h.freezes.Create(h.admin, in)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, f.ID)
		}
		for name, c := range map[string]struct {
			who  context.Context
			f    *freeze.FreezeFilter
			want []int
		}{
			"all":                {h.admin, nil, ids},
			"in reach":           {h.releaser, nil, []int{ids[0], ids[2], ids[3], ids[4], ids[5]}},
			"of checkout":        {h.releaser, &freeze.FreezeFilter{ApplicationKey: ptr("checkout")}, []int{ids[0], ids[2], ids[3], ids[5]}},
			"of ledger":          {h.admin, &freeze.FreezeFilter{ApplicationKey: ptr("ledger")}, []int{ids[1], ids[2], ids[4]}},
			"of checkout now":    {h.admin, &freeze.FreezeFilter{ApplicationKey: ptr("checkout"), Active: ptr(true)}, []int{ids[0], ids[2], ids[3]}},
			"that do not hold":   {h.admin, &freeze.FreezeFilter{Active: ptr(false)}, []int{ids[5]}},
			"of what is unknown": {h.releaser, &freeze.FreezeFilter{ApplicationKey: ptr("ledger")}, nil},
		} {
			page, err := h.freezes.List(c.who, c.f, nil, nil, nil, nil)
			if c.want == nil {
				refused(t, err, fault.NotFound, "filter.applicationKey", "no application")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, e := range page.Edges {
				got = append(got, e.Node.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}
