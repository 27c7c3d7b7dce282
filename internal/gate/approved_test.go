package gate_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/view"
)

func TestApprovalsThatCannotBeAreRefusedAndLeaveNoTrace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		kim := w.person("kim", auth.WaiverApprover)
		draft := must(w.versions.Create(w.admin, version.CreateApplicationVersionInput{
			ApplicationKey: "checkout", Version: "2.0", Draft: true, Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: digestOf("image")}}},
		}))(t)
		var service *db.Principal
		w.write(func(ctx context.Context, tx *db.Client) (err error) {
			service, err = tx.Principal.Create().SetName("ci").SetKind("SERVICE").SetCreatedAt(start).Save(ctx)
			return err
		})
		ci := auth.With(context.Background(), auth.Principal{ID: service.ID, Name: "ci", Grants: []auth.Grant{{Role: auth.Contributor}}})
		for name, c := range map[string]struct {
			who              context.Context
			version, digest  string
			kind             fault.Kind
			path, says, tell string
		}{
			"no digest":         {kim, "1.0", "x", fault.BadInput, "input.manifestDigest", "sha256", ""},
			"another digest":    {kim, "1.0", digestOf("x"), fault.Conflict, "input.manifestDigest", v.ManifestDigest, v.ManifestDigest},
			"a draft":           {kim, "2.0", draft.ManifestDigest, fault.FailedPrecondition, "input.version", "lock it", ""},
			"no such version":   {kim, "9.0", v.ManifestDigest, fault.NotFound, "", "no version", ""},
			"a service account": {ci, "1.0", v.ManifestDigest, fault.FailedPrecondition, "", "by a person", ""},
			"an auditor":        {w.person("lee", auth.Auditor), "1.0", v.ManifestDigest, fault.Forbidden, "", "CONTRIBUTOR", ""},
		} {
			t.Run(name, func(t *testing.T) {
				w.refused(c.kind, c.path, c.says, func() error {
					_, err := w.approvals.Approve(c.who, approval.ApproveApplicationVersionInput{ApplicationKey: "checkout", Version: c.version, ManifestDigest: c.digest, Approve: true})
					return err
				})
			})
		}
	})
}

func TestAnApprovalIsSignedAndReadAsOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		made := must(w.approvals.Approve(w.person("kim", auth.WaiverApprover), approval.ApproveApplicationVersionInput{
			ApplicationKey: "checkout", Version: "1.0", ManifestDigest: v.ManifestDigest, Comment: ptr("not yet"),
		}))(t)
		row := must(made.QueryAttestation().Only(w.admin))(t)
		st := must(attest.ParseStatement([]byte(row.Statement)))(t)
		if row.PredicateType != approval.PredicateType || len(st.Subject) != 1 || "sha256:"+st.Subject[0].Digest["sha256"] != v.ManifestDigest {
			t.Errorf("it is signed as %s", row.Statement)
		}
		read, known, err := view.Read(approval.PredicateType, st.Predicate)
		if err != nil || !known || read.Approval == nil || read.Approval.Decision != view.Rejected || read.Approval.Comment != "not yet" || len(read.Approval.By) != 1 {
			t.Errorf("it is read as %+v: %v", read.Approval, err)
		}
	})
}

// TestApprovalsOfSeveralAreAskedFor asks for two of the approvers by role, none of them who made the version.
func TestApprovalsOfSeveralAreAskedFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if err := w.policies.InstallBuiltin(w.admin); err != nil {
			t.Fatal(err)
		}
		v := w.version("1.0")
		must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{
			Name: "two say yes", Template: "approved-by", Parameters: json.RawMessage(`{"approvers":["WAIVER_APPROVER"],"count":2,"notAuthor":true}`),
		}))(t)
		must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
			Name: "p", Rules: []string{"two say yes"}, Mode: gatepolicy.ModeBLOCK, Enabled: true, WaiverApprovals: 1, WaiverMaxDays: 1,
			Gate: policy.GateInput{Stage: "DEV", Kind: entry}, Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
		}))(t)
		kim, lee, other := w.person("kim", auth.WaiverApprover), w.person("lee", auth.WaiverApprover), w.person("max", auth.Contributor)
		for i, c := range []struct {
			who  context.Context
			yes  bool
			open bool
		}{{kim, true, false}, {other, true, false}, {kim, true, false}, {lee, true, true}, {kim, false, false}, {kim, true, true}} {
			must(w.approvals.Approve(c.who, approval.ApproveApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", ManifestDigest: v.ManifestDigest, Approve: c.yes}))(t)
			j := must(w.gates.Judge(w.admin, v.ID, []*db.Stage{w.stage("DEV")}, []gateKind{entry}))(t)
			if j.Open() != c.open {
				t.Errorf("after %d words the gate is open: %v; %s", i+1, j.Open(), j.Evaluations[0].Explanation)
			}
		}
	})
}
