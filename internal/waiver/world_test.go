package waiver_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// desk is an organisation with the application checkout of project pay, and the people who ask for waivers and decide.
type desk struct {
	tb       testing.TB
	now      time.Time
	st       *store.Store
	policies *policy.Service
	waivers  *waiver.Service
	pay      *db.Project

	admin, asker, first, second, third context.Context
}

const rego = "package acme.say\n\nexamined contains \"it\"\n\nviolations contains {\"code\": \"A\", \"subject\": \"it\", \"message\": \"no\"} if data.parameters.x\n"

func newDesk(tb testing.TB, dsn string) *desk {
	tb.Helper()
	d := &desk{tb: tb, now: start, st: testdb.Open(tb, dsn)}
	clock := func() time.Time { return d.now }
	log := activity.New(d.st, clock)
	d.admin = d.person("ada", auth.Grant{Role: auth.OrganisationAdmin})
	c := catalog.New(d.st, log, clock)
	d.policies = policy.New(d.st, log, clock)
	d.waivers = waiver.New(d.st, log, blast.New(d.st, clock), clock)
	d.pay = must(c.CreateProject(d.admin, catalog.CreateProjectInput{Key: "pay", Name: "pay"}))(tb)
	must(c.CreateProject(d.admin, catalog.CreateProjectInput{Key: "books", Name: "books"}))(tb)
	for _, s := range []catalog.CreateStageInput{{Name: "DEV", Category: stage.CategoryCODE}, {Name: "PROD", Category: stage.CategoryRELEASE, Production: true}} {
		must(c.CreateStage(d.admin, s))(tb)
	}
	for key, project := range map[string]string{"checkout": "pay", "ledger": "books"} {
		must(c.CreateApplication(d.admin, catalog.CreateApplicationInput{ProjectKey: project, Key: key, Name: key, Owners: []string{"user:joan", "team:payments"}}))(tb)
	}
	must(d.policies.CreateTemplate(d.admin, policy.CreatePolicyTemplateInput{
		Name: "say", Category: policytemplate.CategoryQUALITY, Rego: rego, ParametersSchema: json.RawMessage(`{"type":"object","properties":{"x":{"type":"boolean"}}}`),
	}))(tb)
	for _, name := range []string{"a", "b", "alone"} {
		must(d.policies.CreateRule(d.admin, policy.CreateRuleInput{Name: name, Template: "say", Parameters: json.RawMessage(`{}`)}))(tb)
	}
	on := func(role auth.Role) auth.Grant { return auth.Grant{Role: role, Project: d.pay.ID} }
	d.asker = d.person("grace", on(auth.Contributor), on(auth.WaiverApprover))
	d.first, d.second, d.third = d.person("kim", on(auth.WaiverApprover)), d.person("lee", on(auth.WaiverApprover)), d.person("max", on(auth.WaiverApprover))
	return d
}

func (d *desk) person(name string, grants ...auth.Grant) context.Context {
	d.tb.Helper()
	ctx := auth.System(context.Background())
	var p *db.Principal
	err := d.st.InTx(ctx, func(tx *db.Client) (err error) {
		p, err = tx.Principal.Create().SetName(name).SetKind(principal.KindUSER).SetCreatedAt(start).Save(ctx)
		return err
	})
	if err != nil {
		d.tb.Fatal(err)
	}
	return auth.With(context.Background(), auth.Principal{ID: p.ID, Name: name, Grants: grants})
}

// guard makes a policy on the entry gate of DEV for everybody.
func (d *desk) guard(name string, waivable bool, approvals, days int, rules ...string) {
	d.tb.Helper()
	must(d.policies.CreatePolicy(d.admin, policy.CreatePolicyInput{
		Name: name, Rules: rules, Mode: gatepolicy.ModeBLOCK, Enabled: true, Waivable: waivable, WaiverApprovals: approvals, WaiverMaxDays: days,
		Gate: policy.GateInput{Stage: "DEV", Kind: gatepolicy.GateKindENTRY}, Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}))(d.tb)
}

// ask asks for a waiver of policy p for a day.
func (d *desk) ask(code string) *db.Waiver {
	d.tb.Helper()
	return must(d.waivers.Request(d.asker, request(func(in *wish) { in.Code = &code })))(d.tb)
}

type wish = waiver.RequestWaiverInput

func request(how ...func(*wish)) wish {
	in := wish{Policy: ptr("p"), ApplicationKey: "checkout", Justification: "the test wants it", ExpiresAt: start.Add(24 * time.Hour)}
	for _, change := range how {
		change(&in)
	}
	return in
}

func (d *desk) decide(who context.Context, w *db.Waiver, yes bool) error {
	_, err := d.waivers.Decide(who, waiver.DecideWaiverInput{ID: global(w), Approve: yes})
	return err
}

func (d *desk) cancel(who context.Context, w *db.Waiver) error {
	_, err := d.waivers.Cancel(who, waiver.CancelWaiverInput{ID: global(w)})
	return err
}

func (d *desk) revoke(who context.Context, w *db.Waiver) error {
	_, err := d.waivers.Revoke(who, waiver.RevokeWaiverInput{ID: global(w), Reason: "because of that"})
	return err
}

func (d *desk) state(w *db.Waiver) string {
	d.tb.Helper()
	return d.waivers.StateOf(must(d.st.Read().Waiver.Get(d.admin, w.ID))(d.tb))
}

// events are the types of those about waivers, oldest first.
func (d *desk) events() []string {
	d.tb.Helper()
	var types []string
	for _, e := range d.st.Read().ActivityEvent.Query().Order(db.Asc("id")).AllX(d.admin) {
		if kind, is := strings.CutPrefix(e.Type, "WAIVER_"); is {
			types = append(types, kind)
		}
		for _, name := range []string{"grace", "kim", "joan"} {
			if strings.Contains(string(e.Leaf), name) {
				d.tb.Errorf("a leaf names %s: %s", name, e.Leaf)
			}
		}
	}
	return types
}

func global(w *db.Waiver) string { return id.Global("Waiver", w.ID) }

// refused asks that err is a fault of the kind that says so.
func refused(t *testing.T, err error, kind fault.Kind, path, says string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault %s", err, kind)
	}
	if f.Kind != kind || f.Path != path || !strings.Contains(f.Message, says) {
		t.Errorf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, f.Path, f.Message, kind, path, says)
	}
}

// must gives a value or fails the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func ptr[T any](v T) *T { return &v }
