package gate_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// green is a world in which acts are done for real.
type green struct {
	*world
	keys   map[string]*attest.Signer
	people map[string]context.Context
	random *mathrand.Rand
}

func newGreen(t *testing.T, dsn string, seed uint64) *green {
	g := &green{world: newWorld(t, dsn), keys: map[string]*attest.Signer{}, people: map[string]context.Context{}, random: mathrand.New(mathrand.NewPCG(seed, 7))}
	g.evidence = evidence.New(g.st, g.log, g.clock, "test")
	g.gates = gate.New(g.st, g.sources(), g.clock)
	g.releases = release.New(g.st, g.log, g.gates, g.signing, attest.Verifier{ID: "https://plimsoll.example.org"}, g.clock)
	g.builtin()
	for _, alias := range []string{"ci", "review"} {
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
		g.keys[alias] = must(attest.NewSigner(must(signature.LoadECDSASigner(key, crypto.SHA256))(t)))(t)
		must(g.evidence.AddTrustAnchor(g.admin, evidence.AddTrustAnchorInput{Alias: alias, PublicKey: ptr(string(g.keys[alias].PublicKeyPEM()))}))(t)
	}
	g.keys["a trust anchor"] = g.keys["ci"]
	roles := map[string]auth.Role{owner: auth.Contributor, "one": auth.Releaser, "two": auth.Releaser}
	g.write(func(ctx context.Context, tx *db.Client) error {
		for _, name := range []string{owner, "one", "two"} {
			p, err := tx.Principal.Create().SetName(name).SetKind(principal.KindUSER).SetCreatedAt(start).Save(ctx)
			if err != nil {
				return err
			}
			g.people[name] = auth.With(context.Background(), auth.Principal{ID: p.ID, Name: name, Grants: []auth.Grant{{Role: roles[name]}, {Role: auth.OrganisationAdmin}}})
		}
		return nil
	})
	return g
}

// made reports a version of two artifacts of its own and brings it to DEV.
func (g *green) made(name string) *db.ApplicationVersion {
	g.tb.Helper()
	v := must(g.versions.Create(g.admin, version.CreateApplicationVersionInput{
		ApplicationKey: "checkout", Version: name, Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{
			{Name: "image", Digest: digestOf(name + "image")}, {Name: "chart", Digest: digestOf(name + "chart")},
		}},
	}))(g.tb)
	if must(g.promote(name, "DEV"))(g.tb).Promotion == nil {
		g.tb.Fatal("it does not get to DEV")
	}
	return v
}

const (
	review     = "https://example.org/review/v1"
	testResult = "https://in-toto.io/attestation/test-result/v0.1"
	slsa       = "https://slsa.dev/provenance/v1"
	cyclonedx  = "https://cyclonedx.org/bom"
	sarif      = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"
)

// predicateOf is what evidence says that does for everything wanted of it.
func predicateOf(a gate.Act) any {
	said := func(name, otherwise string) string {
		if len(a.Says[name]) > 0 {
			return strings.TrimSuffix(a.Says[name][0], "*")
		}
		return otherwise
	}
	switch a.Type {
	case slsa:
		return map[string]any{
			"buildDefinition": map[string]any{"buildType": "https://example.org/b", "externalParameters": map[string]any{}, "resolvedDependencies": []any{}},
			"runDetails":      map[string]any{"builder": map[string]any{"id": said("builder", "https://example.org/builder")}},
		}
	case testResult:
		var passed []any
		for n := range int(max(1, a.Least["passed"])) {
			passed = append(passed, fmt.Sprint("test ", n))
		}
		return map[string]any{"result": "PASSED", "configuration": []any{}, "passedTests": passed, "warnedTests": []any{}, "failedTests": []any{}}
	case cyclonedx:
		return json.RawMessage(`{"bomFormat":"CycloneDX","components":[{"name":"a","purl":"pkg:npm/a@1","type":"library","version":"1"}],"specVersion":"1.6","version":1}`)
	case sarif:
		return map[string]any{"version": "2.1.0", "runs": []any{map[string]any{"tool": map[string]any{"driver": map[string]any{"name": said("tool", "linter")}}, "results": []any{}}}}
	}
	return map[string]any{"text": "fine"}
}

func (g *green) push(a gate.Act) {
	g.tb.Helper()
	predicate := predicateOf(a)
	if a.Signer == "" {
		b := must(json.Marshal(predicate))(g.tb)
		g.submit(evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{
			MediaType: "application/json", PredicateType: &a.Type, Content: string(b), Subjects: []*evidence.EvidenceSubjectInput{{Digest: &a.Subject}},
		}})
		return
	}
	st := must(attest.NewStatement([]attest.Subject{{Name: "it", Digest: map[string]string{"sha256": strings.TrimPrefix(a.Subject, "sha256:")}}}, a.Type, predicate))(g.tb)
	made := must(g.keys[a.Signer].Sign(g.admin, st))(g.tb)
	g.submit(evidence.SubmitEvidenceInput{Envelope: ptr(string(made.Envelope))})
}

// do does an act for a version, but for what is about all versions at once.
func (g *green) do(v *db.ApplicationVersion, a gate.Act) {
	g.tb.Helper()
	switch a.Kind {
	case "EVIDENCE":
		g.push(a)
	case "APPROVAL":
		people := []string{"one", "two"}
		if slices.Contains(a.Approvers, "OWNERS") {
			people = append(people, owner)
		}
		for _, name := range people {
			must(g.approvals.Approve(g.people[name], approval.ApproveApplicationVersionInput{
				ApplicationKey: "checkout", Version: v.Version, ManifestDigest: v.ManifestDigest, Approve: true,
			}))(g.tb)
		}
	case "WAIVER":
		in := waiver.RequestWaiverInput{
			ApplicationKey: "checkout", Version: &v.Version, Justification: "we know what we do here", ExpiresAt: start.AddDate(0, 1, 0),
		}
		for value, to := range map[string]**string{a.Waiver.Policy: &in.Policy, a.Waiver.Rule: &in.Rule, a.Waiver.Code: &in.Code, a.Waiver.Subject: &in.Subject} {
			if value != "" {
				*to = &value
			}
		}
		asked := must(g.waivers.Request(g.admin, in))(g.tb)
		must(g.waivers.Decide(g.people["one"], waiver.DecideWaiverInput{ID: id.Global("Waiver", asked.ID), Approve: true}))(g.tb)
	}
}

// recorded adds owners, or takes them away again.
func (g *green) recorded(on bool) {
	g.tb.Helper()
	more := []string{"team:more", "team:much-more"}
	changes := &catalog.OwnerChanges{Remove: more}
	if on {
		changes = &catalog.OwnerChanges{Add: more}
	}
	must(g.catalog.UpdateApplication(g.admin, catalog.UpdateApplicationInput{Key: "checkout", Owners: changes}))(g.tb)
}

// moment is when what a set of acts waits for is over.
func moment(acts []gate.Act) (later time.Duration) {
	for _, a := range acts {
		if a.Kind == "WAIT" {
			later = max(later, a.Until.Sub(start)+a.Wait)
		}
	}
	return later
}

// some chooses one at random.
func some[T any](r *mathrand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// guards makes policies of random rules.
func (g *green) guards() {
	r := g.random
	signers := func() string {
		return some(r, `"signers":["ci"]`, `"signers":["review"]`, `"signers":["ci","review"]`, `"acceptIndex":false`)
	}
	kinds := []func() (string, string){
		func() (string, string) {
			return "evidence-present", fmt.Sprintf(`{"predicateType":%q,"onEveryArtifact":%v,%s}`, some(r, review, testResult, slsa, cyclonedx), r.IntN(2) == 0, signers())
		},
		func() (string, string) {
			return "evidence-present", fmt.Sprintf(`{"predicateType":%q,"verified":false}`, some(r, review, testResult))
		},
		func() (string, string) {
			return "slsa-provenance", some(r, `{"builders":["https://ci.example.org/*"]}`, `{"builders":["https://ci.example.org/a","https://other.example.org/"]}`)
		},
		func() (string, string) {
			return "signed-by", some(r, `{"signers":["ci"]}`, `{"signers":["ci","review"],"count":2}`, `{"signers":["review","ci"]}`)
		},
		func() (string, string) { return "sbom-complete", `{}` },
		func() (string, string) { return "tests-passed", some(r, `{"minPassed":3}`, `{}`, `{"verified":true}`) },
		func() (string, string) {
			return "static-analysis", some(r, `{"maxErrors":0}`, `{"maxErrors":0,"tools":["Linter","scanner"]}`)
		},
		func() (string, string) {
			return "approved-by", some(r, `{"approvers":["RELEASER"],"count":2}`, `{"approvers":["OWNERS"]}`, `{"approvers":["RELEASER","OWNERS"]}`)
		},
		func() (string, string) {
			return "owner-set", some(r, `{"minOwners":3}`, `{"minOwners":4}`, `{"team":true}`)
		},
		func() (string, string) {
			return "soak-time", some(r, `{"stage":"DEV","hours":24}`, `{"stage":"DEV","hours":5}`)
		},
		func() (string, string) { return "gate-certified", `{"stage":"DEV","gate":"ENTRY"}` },
		func() (string, string) {
			return "say", some(r, `{"say":"wrong"}`, `{"say":"nothing"}`, `{"say":"fine"}`)
		},
	}
	for p := range 2 + r.IntN(3) {
		waivable := p == 0
		var rules []string
		for n := range 1 + r.IntN(3) {
			template, parameters := some(r, kinds...)()
			if template == "say" && !waivable {
				continue
			}
			name := fmt.Sprintf("%s %d.%d", template, p, n)
			g.rule(name, template, parameters)
			rules = append(rules, name)
		}
		if len(rules) == 0 {
			continue
		}
		at := some(r, gate.Gate{Stage: "DEV", Kind: exit}, gate.Gate{Stage: "QA", Kind: entry})
		g.on(fmt.Sprint("policy ", p), at.Stage, at.Kind, some(r, block, block, block, gatepolicy.ModeWARN), waivable, rules...)
	}
}

// begun chooses what there is to begin with, for every version alike.
func (g *green) begun() func(v *db.ApplicationVersion) {
	type begin struct {
		gate.Act
		artifact string
	}
	var list []begin
	for range g.random.IntN(4) {
		a := gate.Act{Type: some(g.random, review, testResult, slsa, cyclonedx, sarif), Signer: some(g.random, "", "ci", "review")}
		list = append(list, begin{a, some(g.random, "image", "chart")})
	}
	return func(v *db.ApplicationVersion) {
		for _, b := range list {
			b.Subject = digestOf(v.Version + b.artifact)
			g.push(b.Act)
		}
	}
}

// open tells what the gates say of a version for which a set of acts was done.
func (g *green) open(v *db.ApplicationVersion, acts []gate.Act) bool {
	g.tb.Helper()
	records := slices.ContainsFunc(acts, func(a gate.Act) bool { return a.Kind == "RECORD" })
	if records {
		g.recorded(true)
		defer g.recorded(false)
	}
	g.later.Store(int64(moment(acts)))
	defer g.later.Store(0)
	result := must(g.releases.Promote(g.releaser, release.PromoteApplicationVersionInput{ApplicationKey: "checkout", Version: v.Version, ToStage: "QA", DryRun: true}))(g.tb)
	for _, e := range result.Evaluations {
		if !e.Open() {
			return false
		}
	}
	return true
}

// maxOmitted is how many acts are left out, each for a version of its own.
const maxOmitted = 4

// seeds is how many organisations there are: each has other policies and begins with other evidence.
const seeds = 4

// TestRule21_ThePathToGreenIsTheShortest does what is said for real, all of it and all but one.
func TestRule21_ThePathToGreenIsTheShortest(t *testing.T) {
	for seed := range uint64(seeds) {
		testdb.Each(t, func(t *testing.T, dsn string) { shortest(t, newGreen(t, dsn, seed)) })
	}
}

func shortest(t *testing.T, g *green) {
	t.Helper()
	first := g.made("v0")
	g.guards()
	begin := g.begun()
	begin(first)
	acts := must(g.gates.Acts(g.admin, "checkout", "v0", "QA"))(t)
	path := must(g.gates.PathToGreen(g.admin, "checkout", "v0", "QA"))(t)
	for _, a := range path.Actions {
		t.Logf("%s: %s | %s", a.Kind, a.What, a.Command)
	}
	if len(path.Actions) != len(acts) || len(path.Unreachable) > 0 {
		t.Fatalf("%d acts are %d actions, and out of reach is %q", len(acts), len(path.Actions), path.Unreachable)
	}
	if was := g.open(first, nil); was != path.Open {
		t.Fatalf("the gates are open: %v, and said is %v", was, path.Open)
	}
	for n := range min(len(acts), maxOmitted) + 1 {
		v := first
		if n > 0 {
			v = g.made(fmt.Sprint("v", n))
			begin(v)
		}
		own := must(g.gates.Acts(g.admin, "checkout", v.Version, "QA"))(t)
		if len(own) != len(acts) {
			t.Fatalf("%d acts for %s, %d for another", len(own), v.Version, len(acts))
		}
		if n > 0 {
			own = slices.Delete(own, n-1, n)
		}
		for _, a := range own {
			g.do(v, a)
		}
		if open := g.open(v, own); open != (n == 0) {
			t.Errorf("without the %d-th of %+v the gates are open: %v", n, acts, open)
		}
	}
}
