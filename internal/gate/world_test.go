package gate_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// Names of people: none may stand in what is kept for ever.
const (
	admin    = "ada.lovelace@example.org"
	releaser = "grace.hopper@example.org"
	owner    = "joan.clarke"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// sayRego is a template whose rules say what they are told to say.
const sayRego = `package acme.say

examined contains "a look" if not data.parameters.say in {"nothing", "missing"}

violations contains {"code": "WRONG", "subject": "the thing", "message": "it is wrong"} if data.parameters.say in {"wrong", "missing"}

violations contains {"code": "WRONG", "subject": "it", "message": "it is wrong", "remediation": "do as I say"} if data.parameters.say == "advice"

violations contains {"code": "BROKEN", "subject": "it", "message": "never"} if {
	data.parameters.say == "divide"
	1 / data.parameters.zero > 0
}

violations contains {"code": "ENDLESS", "subject": "it", "message": "never"} if {
	data.parameters.say == "endless"
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i * j < 0
}
`

const sayParameters = `{"type":"object","required":["say"],"properties":{
	"say":{"enum":["fine","wrong","nothing","missing","advice","divide","endless"]},
	"zero":{"type":"integer","default":0},
	"words":{"type":"array","items":{"type":"string"},"default":["one","two"]}
}}`

// world is an organisation with the application checkout of project pay on the way DEV, QA, PROD, and ledger of project
// books, out of reach of the releaser.
type world struct {
	tb       testing.TB
	dsn      string
	st       *store.Store
	log      *activity.Log
	signer   *attest.Signer
	signing  *signing.Service
	catalog  *catalog.Service
	policies *policy.Service
	evidence *evidence.Service
	versions *version.Service
	gates    *gate.Service
	releases *release.Service

	vulnerabilities *vulnerability.Service
	waivers         *waiver.Service
	freezes         *freeze.Service
	approvals       *approval.Service

	admin, releaser context.Context

	// later is how far the clock of gates, waivers, freezes and approvals was moved.
	later atomic.Int64
	// onSign is called before the next signature, once.
	onSign atomic.Pointer[func()]
	rules  map[string]bool
}

func clock() time.Time { return start }

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, dsn: dsn, st: testdb.Open(tb, dsn), rules: map[string]bool{}}
	w.log = activity.New(w.st, clock)
	w.people()
	w.signer = must(attest.NewSigner(w.hookedKey()))(tb)
	w.signing = must(signing.New(w.admin, w.st, w.log, w.signer, clock))(tb)
	w.catalog = catalog.New(w.st, w.log, clock)
	w.policies = policy.New(w.st, w.log, clock)
	w.evidence = evidence.New(w.st, w.log, clock, "test")
	w.versions = version.New(w.st, w.catalog, w.log, w.signing, clock)
	w.vulnerabilities = vulnerability.New(w.st, w.log, w.signing, clock)
	w.waivers = waiver.New(w.st, w.log, blast.New(w.st, w.clock), w.clock)
	w.freezes = freeze.New(w.st, w.log, w.clock)
	w.approvals = approval.New(w.st, w.log, w.signing, w.clock)
	w.gates = gate.New(w.st, w.sources(), w.clock)
	w.releases = release.New(w.st, w.log, w.gates, w.signing, attest.Verifier{ID: "https://plimsoll.example.org"}, clock)
	w.organisation()
	return w
}

func (w *world) sources() gate.Sources {
	return gate.Sources{
		Evidence: w.evidence, Policies: w.policies, Vulnerabilities: w.vulnerabilities, Waivers: w.waivers, Freezes: w.freezes, Approvals: w.approvals,
	}
}

// clock is the time of the world, which a test may move.
func (w *world) clock() time.Time { return start.Add(time.Duration(w.later.Load())) }

func (w *world) people() {
	w.tb.Helper()
	w.write(func(ctx context.Context, tx *db.Client) error {
		for name, to := range map[string]*context.Context{admin: &w.admin, releaser: &w.releaser} {
			p, err := tx.Principal.Create().SetName(name).SetKind(principal.KindUSER).SetCreatedAt(start).Save(ctx)
			if err != nil {
				return err
			}
			*to = auth.With(context.Background(), auth.Principal{ID: p.ID, Name: name, Grants: []auth.Grant{{Role: auth.OrganisationAdmin}}})
		}
		return nil
	})
}

func (w *world) organisation() {
	w.tb.Helper()
	for _, key := range []string{"pay", "books"} {
		must(w.catalog.CreateProject(w.admin, catalog.CreateProjectInput{Key: key, Name: key}))(w.tb)
	}
	for _, s := range []catalog.CreateStageInput{
		{Name: "DEV", Category: stage.CategoryCODE},
		{Name: "QA", Category: stage.CategoryPROMOTE},
		{Name: "PROD", Category: stage.CategoryRELEASE, Production: true},
	} {
		must(w.catalog.CreateStage(w.admin, s))(w.tb)
	}
	w.lifecycle(true)
	for key, project := range map[string]string{"checkout": "pay", "ledger": "books"} {
		must(w.catalog.CreateApplication(w.admin, catalog.CreateApplicationInput{
			ProjectKey: project, Key: key, Name: "The " + key, Criticality: "HIGH", Maturity: "PRODUCTION",
			Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}, {Key: "tier", Value: "edge"}},
			Owners: []string{"user:" + owner, "team:payments"},
		}))(w.tb)
	}
	pay := must(w.catalog.Project(w.admin, "pay"))(w.tb)
	p, _ := auth.From(w.releaser)
	p.Grants = []auth.Grant{{Role: auth.Releaser, Project: pay.ID}}
	w.releaser = auth.With(context.Background(), p)
	must(w.policies.CreateTemplate(w.admin, policy.CreatePolicyTemplateInput{
		Name: "say", Category: policytemplate.CategoryQUALITY, Rego: sayRego, ParametersSchema: json.RawMessage(sayParameters),
		Remediation: ptr("Repair {subject} of {application} {version}: {parameters.say}, {parameters.words}, {parameters.none}, {unknown}."),
	}))(w.tb)
}

func (w *world) lifecycle(enforceOrder bool) {
	w.tb.Helper()
	must(w.catalog.SetLifecycle(w.admin, catalog.SetLifecycleInput{ProjectKey: "pay", Stages: []string{"DEV", "QA", "PROD"}, EnforceOrder: enforceOrder}))(w.tb)
}

// guard puts a policy on a gate of every application, whose rules say what they are told.
func (w *world) guard(name, stageName string, kind gatepolicy.GateKind, mode gatepolicy.Mode, say ...string) {
	w.tb.Helper()
	for _, s := range say {
		if !w.rules[s] {
			w.rules[s] = true
			must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{Name: s, Template: "say", Parameters: json.RawMessage(`{"say":"` + s + `"}`)}))(w.tb)
		}
	}
	must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
		WaiverApprovals: 1, WaiverMaxDays: 90,
		Name: name, Rules: say, Mode: mode, Enabled: true, Gate: policy.GateInput{Stage: stageName, Kind: kind},
		Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}))(w.tb)
}

// disable takes a policy out of force.
func (w *world) disable(name string) {
	w.tb.Helper()
	must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: name, Enabled: ptr(false)}))(w.tb)
}

// version reports a version of checkout with two artifacts and a package.
func (w *world) version(name string) *db.ApplicationVersion {
	w.tb.Helper()
	return must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
		ApplicationKey: "checkout", Version: name, Sources: &version.VersionSourcesInput{
			Packages:  []*version.PackageSourceInput{{Purl: "pkg:npm/left-pad@1.3.0"}},
			Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: digestOf("image")}, {Name: "chart", Digest: digestOf("chart")}},
		},
	}))(w.tb)
}

func (w *world) promote(name, to string) (*release.Result, error) {
	return w.releases.Promote(w.releaser, release.PromoteApplicationVersionInput{ApplicationKey: "checkout", Version: name, ToStage: to})
}

func (w *world) release(name string) (*release.Result, error) {
	return w.releases.Release(w.releaser, release.ReleaseApplicationVersionInput{ApplicationKey: "checkout", Version: name})
}

func (w *world) rollback(name, from string) (*release.Result, error) {
	return w.releases.Rollback(w.releaser, release.RollbackApplicationVersionInput{ApplicationKey: "checkout", Version: name, FromStage: from, Reason: "it misbehaves"})
}

// write changes the database behind the services' backs.
func (w *world) write(fn func(ctx context.Context, tx *db.Client) error) {
	w.tb.Helper()
	ctx := auth.System(context.Background())
	if err := w.st.InTx(ctx, func(tx *db.Client) error { return fn(ctx, tx) }); err != nil {
		w.tb.Fatalf("prepare the database: %v", err)
	}
}

// rows counts what an attempt writes.
func (w *world) rows() string {
	w.tb.Helper()
	ctx, r := auth.System(context.Background()), w.st.Read()
	var all []string
	for _, count := range []func(context.Context) (int, error){
		r.Promotion.Query().Count, r.Evaluation.Query().Count, r.Attestation.Query().Count, r.ActivityEvent.Query().Count,
		r.ActivityOpening.Query().Count, r.Blob.Query().Count, r.ApplicationVersion.Query().Count, r.Releasable.Query().Count,
	} {
		all = append(all, fmt.Sprint(must(count(ctx))(w.tb)))
	}
	return strings.Join(all, " ")
}

// refused asks that fn is refused so, and that it wrote nothing.
func (w *world) refused(kind fault.Kind, path, says string, fn func() error) *fault.Error {
	w.tb.Helper()
	before := w.rows()
	err := fn()
	if after := w.rows(); before != after {
		w.tb.Errorf("rows were written: %s became %s", before, after)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		w.tb.Fatalf("got %v, want a fault %s", err, kind)
	}
	if f.Kind != kind || f.Path != path || !strings.Contains(f.Message, says) {
		w.tb.Fatalf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, f.Path, f.Message, kind, path, says)
	}
	return f
}

// hooked is a key that calls onSign once before it signs.
type hooked struct {
	signature.Signer
	w *world
}

// SignMessage implements signature.Signer.
func (h hooked) SignMessage(message io.Reader, opts ...signature.SignOption) ([]byte, error) {
	if fn := h.w.onSign.Swap(nil); fn != nil {
		(*fn)()
	}
	return h.Signer.SignMessage(message, opts...)
}

func (w *world) hookedKey() signature.Signer {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(w.tb)
	return hooked{must(signature.LoadECDSASigner(key, crypto.SHA256))(w.tb), w}
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

func digestOf(text string) string { return canonical.Digest([]byte(text)) }

func ptr[T any](v T) *T { return &v }
