package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
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
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const source = `package acme.minimum

examined contains c.name if some c in input.contents

violations contains {"code": "TOO_FEW", "subject": "all", "message": "too few"} if {
	count(input.contents) < data.parameters.least
}
`

const parameters = `{
	"type": "object",
	"required": ["least"],
	"properties": {
		"least": {"type": "integer", "minimum": 0},
		"level": {"enum": ["LOW", "HIGH"], "default": "HIGH"},
		"where": {"type": "object", "properties": {"zone": {"type": "string", "default": "eu"}}}
	}
}`

// world is a database with two projects, their applications and stages, and those who act in it.
type world struct {
	t   testing.TB
	dsn string
	st  *store.Store
	svc *policy.Service

	projects map[string]*db.Project
	apps     map[string]*db.Application

	admin    context.Context // manages everything
	payments context.Context // manages policies of project payments
	both     context.Context // manages policies of both projects
	viewer   context.Context // sees project payments
	outsider context.Context // manages policies of a project without anything in it
	nobody   context.Context // has not said who they are
}

var instant = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return instant }

func newWorld(t testing.TB, dsn string) *world {
	t.Helper()
	w := &world{t: t, dsn: dsn, st: testdb.Open(t, dsn), projects: map[string]*db.Project{}, apps: map[string]*db.Application{}}
	w.svc = w.service(clock)
	people := map[string]int{}
	w.write(func(ctx context.Context, tx *db.Client) error {
		for _, name := range []string{"admin", "pat", "bo", "vic", "otto"} {
			p, err := tx.Principal.Create().SetName(name).SetKind(principal.KindUSER).SetCreatedAt(instant).Save(ctx)
			if err != nil {
				return err
			}
			people[name] = p.ID
		}
		for _, key := range []string{"payments", "shop", "empty"} {
			p, err := tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(instant).Save(ctx)
			if err != nil {
				return err
			}
			w.projects[key] = p
		}
		for key, in := range map[string]string{"checkout": "payments", "ledger": "payments", "web": "shop"} {
			a, err := tx.Application.Create().SetKey(key).SetName(key).SetProject(w.projects[in]).SetCreatedAt(instant).Save(ctx)
			if err != nil {
				return err
			}
			w.apps[key] = a
		}
		for name, category := range map[string]stage.Category{"DEV": "CODE", "QA": "PROMOTE", "PROD": "RELEASE"} {
			if err := tx.Stage.Create().SetName(name).SetCategory(category).SetProduction(false).SetRealm("").SetCreatedAt(instant).Exec(ctx); err != nil {
				return err
			}
		}
		return tx.Stage.Create().SetName("CANARY").SetCategory(stage.CategoryPROMOTE).SetProduction(false).
			SetRealm("shop").SetProject(w.projects["shop"]).SetCreatedAt(instant).Exec(ctx)
	})
	as := func(name string, grants ...auth.Grant) context.Context {
		return auth.With(context.Background(), auth.Principal{ID: people[name], Name: name, Grants: grants})
	}
	w.admin = as("admin", auth.Grant{Role: auth.OrganisationAdmin, Project: auth.Organisation})
	w.payments = as("pat", auth.Grant{Role: auth.PolicyManager, Project: w.projects["payments"].ID})
	w.both = as("bo", auth.Grant{Role: auth.PolicyManager, Project: w.projects["payments"].ID}, auth.Grant{Role: auth.PolicyManager, Project: w.projects["shop"].ID})
	w.viewer = as("vic", auth.Grant{Role: auth.Viewer, Project: w.projects["payments"].ID})
	w.outsider = as("otto", auth.Grant{Role: auth.PolicyManager, Project: w.projects["empty"].ID})
	w.nobody = context.Background()
	return w
}

// service returns another service on the same database, as another program would.
func (w *world) service(now func() time.Time) *policy.Service {
	return policy.New(w.st, w.log(), now)
}

func (w *world) log() *activity.Log { return activity.New(w.st, clock) }

// write changes the database behind the service's back.
func (w *world) write(fn func(ctx context.Context, tx *db.Client) error) {
	w.t.Helper()
	ctx := auth.System(context.Background())
	if err := w.st.InTx(ctx, func(tx *db.Client) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatalf("prepare the database: %v", err)
	}
}

// rows counts what the service writes.
func (w *world) rows() map[string]int {
	w.t.Helper()
	ctx, r := auth.System(context.Background()), w.st.Read()
	counts := map[string]func(context.Context) (int, error){
		"templates": r.PolicyTemplate.Query().Count, "rules": r.Rule.Query().Count, "policies": r.GatePolicy.Query().Count,
		"targets": r.PolicyTarget.Query().Count, "events": r.ActivityEvent.Query().Count,
		"in force": r.GatePolicy.Query().Where(gatepolicy.Latest(true)).Count,
	}
	n := map[string]int{}
	for name, count := range counts {
		var err error
		if n[name], err = count(ctx); err != nil {
			w.t.Fatalf("count %s: %v", name, err)
		}
	}
	return n
}

// refused asks that fn is refused so, and that it wrote nothing.
func (w *world) refused(t *testing.T, kind fault.Kind, path, says string, fn func() error) *fault.Error {
	t.Helper()
	before := w.rows()
	err := fn()
	if after := w.rows(); !maps.Equal(before, after) {
		t.Errorf("rows were written: %v became %v", before, after)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault %s", err, kind)
	}
	if f.Kind != kind || f.Path != path || !strings.Contains(f.Message, says) {
		t.Fatalf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, f.Path, f.Message, kind, path, says)
	}
	return f
}

// events returns the summaries and changes of the events so far, oldest first.
func (w *world) events() []event {
	w.t.Helper()
	ctx := auth.System(context.Background())
	rows, err := w.st.Read().ActivityEvent.Query().Order(db.Asc("id")).All(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	list := make([]event, len(rows))
	for i, row := range rows {
		changes, err := activity.Changes(ctx, row)
		if err != nil {
			w.t.Fatal(err)
		}
		e := event{Type: row.Type, Subject: row.Subject, Summary: row.Summary, Project: row.ProjectKey, Application: row.ApplicationKey, Changes: map[string][2]string{}}
		for _, c := range changes {
			var sides [2]string
			if c.From != nil {
				sides[0] = *c.From
			}
			if c.To != nil {
				sides[1] = *c.To
			}
			e.Changes[c.Field] = sides
		}
		list[i] = e
	}
	return list
}

type event struct {
	Type, Subject, Summary, Project, Application string
	Changes                                      map[string][2]string
}

// template and rules make what policies stand on.
func (w *world) template(name string) *db.PolicyTemplate {
	w.t.Helper()
	made, err := w.svc.CreateTemplate(w.admin, templateInput(name))
	if err != nil {
		w.t.Fatalf("make template: %v", err)
	}
	return made
}

func (w *world) rules(names ...string) {
	w.t.Helper()
	w.template("minimum")
	for _, name := range names {
		_, err := w.svc.CreateRule(w.admin, policy.CreateRuleInput{Name: name, Template: "minimum", Parameters: json.RawMessage(`{"least":1}`)})
		if err != nil {
			w.t.Fatalf("make rule: %v", err)
		}
	}
}

func (w *world) policy(in policy.CreatePolicyInput) *db.GatePolicy {
	w.t.Helper()
	made, err := w.svc.CreatePolicy(w.admin, in)
	if err != nil {
		w.t.Fatalf("make policy: %v", err)
	}
	return made
}

func templateInput(name string) policy.CreatePolicyTemplateInput {
	return policy.CreatePolicyTemplateInput{
		Name: name, Category: policytemplate.CategoryQUALITY, Rego: source, ParametersSchema: json.RawMessage(parameters),
	}
}

// policyInput is a policy for everybody at the entry of QA, with whatever is changed.
func policyInput(name string, change ...func(*policy.CreatePolicyInput)) policy.CreatePolicyInput {
	in := policy.CreatePolicyInput{
		WaiverApprovals: 1, WaiverMaxDays: 90,
		Name: name, Rules: []string{"some"}, Mode: gatepolicy.ModeBLOCK, Waivable: true, Enabled: true,
		Gate:  policy.GateInput{Stage: "QA", Kind: gatepolicy.GateKindENTRY},
		Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

func onProjects(keys ...string) func(*policy.CreatePolicyInput) {
	return func(in *policy.CreatePolicyInput) {
		in.Scope.Type, in.Scope.ProjectKeys = gatepolicy.ScopeTypePROJECT, keys
	}
}

func onApplications(keys ...string) func(*policy.CreatePolicyInput) {
	return func(in *policy.CreatePolicyInput) {
		in.Scope.Type, in.Scope.ApplicationKeys = gatepolicy.ScopeTypeAPPLICATION, keys
	}
}

func at(stageName string, kind gatepolicy.GateKind) func(*policy.CreatePolicyInput) {
	return func(in *policy.CreatePolicyInput) { in.Gate = policy.GateInput{Stage: stageName, Kind: kind} }
}

func onlyFor(criticality ...string) func(*policy.CreatePolicyInput) {
	return func(in *policy.CreatePolicyInput) { in.Scope.Criticality = criticality }
}

// all makes several changes.
func all(changes ...func(*policy.CreatePolicyInput)) func(*policy.CreatePolicyInput) {
	return func(in *policy.CreatePolicyInput) {
		for _, c := range changes {
			c(in)
		}
	}
}

// looksHere returns one who manages policies of another project and sees project payments.
func (w *world) looksHere() context.Context {
	p, _ := auth.From(w.viewer)
	p.Grants = append(p.Grants, auth.Grant{Role: auth.PolicyManager, Project: w.projects["empty"].ID})
	return auth.With(context.Background(), p)
}

func ptr[T any](v T) *T { return &v }
