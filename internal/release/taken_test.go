package release_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

const vouchedRego = `package acme.vouched

examined contains e.digest if some e in input.evidence

violations contains {"code": "NOT_VOUCHED", "subject": "it", "message": "nobody vouches for it"} if {
	count({e | some e in input.evidence; e.verified == true}) == 0
}
`

// vouched is a world whose release gate wants verified evidence, with what takes it back.
type vouched struct {
	*world
	signer   *attest.Signer
	evidence *evidence.Service
}

func newVouched(t *testing.T, dsn string) *vouched {
	t.Helper()
	w := newWorld(t, dsn)
	w.lifecycle(false)
	must(w.policies.CreateTemplate(w.admin, policy.CreatePolicyTemplateInput{
		Name: "vouched", Category: policytemplate.CategoryQUALITY, Rego: vouchedRego, ParametersSchema: json.RawMessage(`{"type":"object"}`),
	}))(t)
	must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{Name: "vouched", Template: "vouched", Parameters: json.RawMessage(`{}`)}))(t)
	must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
		WaiverApprovals: 1, WaiverMaxDays: 90, Name: "vouched", Rules: []string{"vouched"}, Mode: block, Enabled: true,
		Gate: policy.GateInput{Stage: "PROD", Kind: gatepolicy.GateKindRELEASE}, Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}))(t)
	return &vouched{w, newSigner(t), must(w.evidence.WithCollector(w.signing))(t)}
}

func newSigner(t *testing.T) *attest.Signer {
	t.Helper()
	signer, _, err := attest.LoadOrCreateSigner(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// trusted registers the signer's key under an alias.
func (w *vouched) trusted(alias string) {
	w.tb.Helper()
	must(w.evidence.AddTrustAnchor(w.admin, evidence.AddTrustAnchorInput{Alias: alias, PublicKey: ptr(string(w.signer.PublicKeyPEM()))}))(w.tb)
}

// holding reports a version of one artifact, for which the signer vouches.
func (w *vouched) holding(name string) *db.Evidence {
	w.tb.Helper()
	artifact := digestOf("artifact of " + name)
	must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
		ApplicationKey: "checkout", Version: name,
		Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: artifact}}},
	}))(w.tb)
	st := must(attest.NewStatement([]attest.Subject{{Name: "image", Digest: map[string]string{"sha256": strings.TrimPrefix(artifact, "sha256:")}}}, "urn:looked-at", map[string]string{"version": name}))(w.tb)
	signed := must(w.signer.Sign(context.Background(), st))(w.tb)
	ev, _, err := w.evidence.Submit(w.admin, evidence.SubmitEvidenceInput{Envelope: ptr(string(signed.Bundle))})
	if err != nil || !ev.Verified {
		w.tb.Fatalf("evidence is %v, %v", ev, err)
	}
	return ev
}

func (w *vouched) withdraw(ev *db.Evidence) (int, error) {
	_, n, err := w.evidence.Withdraw(w.admin, evidence.WithdrawEvidenceInput{Evidence: id.Global("Evidence", ev.ID), Reason: "it was wrong"})
	return n, err
}

func (w *vouched) revoke(alias string) (int, error) {
	_, n, err := w.evidence.RevokeTrustAnchor(w.admin, evidence.RevokeTrustAnchorInput{Alias: alias})
	return n, err
}

func (w *vouched) standing(name string) string {
	w.tb.Helper()
	v := must(w.st.Read().ApplicationVersion.Query().Where(applicationversion.Version(name)).Only(w.admin))(w.tb)
	if v.Standing == nil {
		return string(v.Trust)
	}
	return string(*v.Standing)
}

// TestRule31_WhatIsTakenBackWhileTheGatesAreAskedDoesNotCount takes evidence back after the gates were asked and before what
// they said is recorded.
func TestRule31_WhatIsTakenBackWhileTheGatesAreAskedDoesNotCount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newVouched(t, dsn)
		w.trusted("ci")
		w.holding("good")
		ev := w.holding("withdrawn")
		w.holding("revoked")
		if done := must(w.release("good"))(t); done.Promotion.Status != "COMPLETED" || w.standing("good") != "GOOD" {
			t.Fatalf("it is %s", done.Promotion.Status)
		}
		for _, c := range []struct {
			name    string
			take    func() (int, error)
			suspect int
		}{
			{"withdrawn", func() (int, error) { return w.withdraw(ev) }, 0},
			{"revoked", func() (int, error) { return w.revoke("ci") }, 1}, // what was released before
		} {
			name := c.name
			suspected := -1
			meanwhile := func() { suspected = must(c.take())(t) }
			w.onSign.Store(&meanwhile)
			done := must(w.release(name))(t)
			if done.Promotion.Status != "BLOCKED" || w.standing(name) != "PRE_RELEASE" {
				t.Errorf("%s: it is %s, %s", name, done.Promotion.Status, w.standing(name))
			}
			if suspected != c.suspect {
				t.Errorf("%s: %d are suspect", name, suspected)
			}
			// The next attempt does not find it either.
			if done := must(w.release(name))(t); done.Promotion.Status != "BLOCKED" {
				t.Errorf("%s again: it is %s", name, done.Promotion.Status)
			}
		}
		if got := w.standing("good"); got != "SUSPECT" {
			t.Errorf("what was released before is %s", got)
		}
	})
}

// TestRule31_AReleaseAndATakingBackAtOnce never leaves a release GOOD that rests on what counts no longer.
func TestRule31_AReleaseAndATakingBackAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newVouched(t, dsn)
		came := map[string]int{}
		for n := range 24 {
			name, alias := fmt.Sprint("v", n), fmt.Sprint("signer ", n)
			revoking := n%2 == 0
			w.signer = newSigner(t)
			w.trusted(alias)
			ev := w.holding(name)
			var group sync.WaitGroup
			var done *release.Result
			var suspected int
			var errs [2]error
			group.Go(func() { done, errs[0] = w.release(name) })
			group.Go(func() {
				time.Sleep(time.Duration(n) * time.Millisecond)
				if revoking {
					suspected, errs[1] = w.revoke(alias)
				} else {
					suspected, errs[1] = w.withdraw(ev)
				}
			})
			group.Wait()
			if errs[0] != nil || errs[1] != nil {
				t.Fatal(errs)
			}
			is := fmt.Sprint(done.Promotion.Status, " ", w.standing(name), " ", suspected)
			if came[is]++; !slices.Contains([]string{"COMPLETED SUSPECT 1", "BLOCKED PRE_RELEASE 0"}, is) {
				t.Errorf("try %d: %s", n, is)
			}
		}
		t.Log(came)
	})
}

func TestRule31_ASuspectReleaseIsRolledBackAsAnyOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newVouched(t, dsn)
		w.trusted("ci")
		ev := w.holding("1.0")
		must(w.release("1.0"))(t)
		must(w.withdraw(ev))(t)
		must(w.rollback("1.0", "PROD"))(t)
		if got := w.standing("1.0"); got != "WITHDRAWN" {
			t.Errorf("it is %s", got)
		}
	})
}
