package store_test

import (
	"context"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/feed"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/noticeentry"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/ent/db/triagedecision"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/ent/db/versionapproval"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

// world is two projects, a and b, with a row of every table in each, and rows of the organisation. Rows are listed by
// table (the field of db.Client) and by what they belong to: "a", "b", "both" (a and b reach them), "everybody" (whoever
// reaches anything) or "organisation" (who holds a role on it alone).
type world struct {
	ctx   context.Context
	rows  map[string]map[string][]int
	a, b  int // projects
	alice int // principal with a role on project a
	key   int // signing key
	rule  int
}

// newWorld fills the store.
func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	w := &world{ctx: auth.System(t.Context()), rows: map[string]map[string][]int{}}
	err := s.InTx(w.ctx, func(tx *db.Client) (err error) {
		// The X variants panic, which undoes the transaction and fails the test with the place.
		w.organisation(tx)
		w.a = w.project(tx, "a")
		w.b = w.project(tx, "b")
		w.shared(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) add(table, owner string, id int) int {
	if w.rows[table] == nil {
		w.rows[table] = map[string][]int{}
	}
	w.rows[table][owner] = append(w.rows[table][owner], id)
	return id
}

func (w *world) organisation(tx *db.Client) {
	ctx := w.ctx
	w.alice = w.add("Principal", "everybody", tx.Principal.Create().SetName("alice").SetKind(principal.KindUSER).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Stage", "everybody", tx.Stage.Create().SetName("PROD").SetCategory(stage.CategoryRELEASE).SetProduction(true).SetRealm("").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("TrustAnchor", "everybody", tx.TrustAnchor.Create().SetAlias("ci").SetKind(trustanchor.KindPUBLIC_KEY).SetPublicKey("key").SetFingerprint("f").SetAlgorithm("P-256").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.key = w.add("SigningKey", "everybody", tx.SigningKey.Create().SetFingerprint("f").SetPublicKey("key").SetCreatedAt(epoch).SaveX(ctx).ID)
	template := w.add("PolicyTemplate", "everybody", tx.PolicyTemplate.Create().SetName("t").SetRevision(1).SetCategory(policytemplate.CategoryAUDIT).SetRego("package t").SetParametersSchema("{}").SetDigest("d").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.rule = w.add("Rule", "everybody", tx.Rule.Create().SetName("r").SetParameters("{}").SetTemplateID(template).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("GatePolicy", "everybody", w.policy(tx, "for-all", gatepolicy.ScopeTypeGLOBAL))
	w.add("Feed", "everybody", tx.Feed.Create().SetName("osv").SetFormat(feed.FormatOSV).SaveX(ctx).ID)
	w.add("LogTile", "everybody", tx.LogTile.Create().SetLevel(0).SetPosition(0).SetHashes([]byte{0}).SaveX(ctx).ID)
	w.add("LogCheckpoint", "everybody", tx.LogCheckpoint.Create().SetSize(1).SetRoot([]byte{0}).SetNote("n").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("LogCosignature", "everybody", tx.LogCosignature.Create().SetSize(1).SetWitness("w").SetLine("l").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("TriageDecision", "everybody", w.triage(tx).SetLabelKey("k").SetLabelValue("v").SaveX(ctx).ID)
	w.add("Freeze", "everybody", w.freeze(tx).SetLabelKey("k").SetLabelValue("v").SaveX(ctx).ID)
	w.add("Blob", "everybody", tx.Blob.Create().SetDigest("sha256:0").SetSize(0).SetContent([]byte{0}).SaveX(ctx).ID)

	w.add("ActivityEvent", "organisation", w.event(tx, "anchor-added", nil))
	w.add("ActivityOpening", "organisation", tx.ActivityOpening.Create().SetCommitment("c").SetSalt("s").SetName("alice").SetActor(true).SetEventID(w.rows["ActivityEvent"]["organisation"][0]).SaveX(ctx).ID)
	w.add("Token", "organisation", tx.Token.Create().SetName("t").SetHash("h").SetCreatedAt(epoch).SetPrincipalID(w.alice).SetRole(auth.Viewer).SaveX(ctx).ID)
	other := w.add("Principal", "everybody", tx.Principal.Create().SetName("otto").SetKind(principal.KindUSER).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("RoleBinding", "organisation", tx.RoleBinding.Create().SetRole(auth.Auditor).SetPrincipalID(other).SaveX(ctx).ID)
	idle := w.add("Owner", "organisation", tx.Owner.Create().SetRef("team:idle").SetPseudonym("team:idle").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Notice", "organisation", tx.Notice.Create().SetOwnerID(idle).SetOpenedAt(epoch).SetUpdatedAt(epoch).SaveX(ctx).ID)
	pkg := w.add("Pkg", "organisation", tx.Pkg.Create().SetPurl("pkg:npm/unused").SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("SearchWord", "organisation", tx.SearchWord.Create().SetWord("unused").SetPackageID(pkg).SaveX(ctx).ID)
	w.add("PackageVersion", "organisation", tx.PackageVersion.Create().SetPurl("pkg:npm/unused@1").SetPackageID(pkg).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.evidence(tx, "organisation", nil, "sha256:of-nothing-released")
	w.add("ImageChild", "everybody", tx.ImageChild.Create().SetIndexDigest("sha256:index").SetDigest("sha256:child").SetMediaType("m").SetSize(1).SaveX(ctx).ID)
	w.build(tx, "everybody", nil)
	w.evidence(tx, "everybody", nil, "sha256:build-of-everybody")
}

// project adds a project and a row of each table that belongs to it.
func (w *world) project(tx *db.Client, p string) int {
	ctx := w.ctx
	id := w.add("Project", p, tx.Project.Create().SetKey(p).SetName(p).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Label", p, tx.Label.Create().SetKey("k").SetValue("v").SetProjectID(id).SaveX(ctx).ID)
	st := w.add("Stage", p, tx.Stage.Create().SetName("QA").SetCategory(stage.CategoryPROMOTE).SetProduction(false).SetRealm(p).SetProjectID(id).SetCreatedAt(epoch).SaveX(ctx).ID)
	lc := w.add("Lifecycle", p, tx.Lifecycle.Create().SetName("default").SetEnforceOrder(true).SetProjectID(id).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("LifecycleStep", p, tx.LifecycleStep.Create().SetPosition(0).SetLifecycleID(lc).SetStageID(st).SaveX(ctx).ID)
	w.add("Token", p, tx.Token.Create().SetName("t").SetHash(p).SetCreatedAt(epoch).SetPrincipalID(w.alice).SetProjectID(id).SetRole(auth.Viewer).SaveX(ctx).ID)
	member := w.add("Principal", "everybody", tx.Principal.Create().SetName("member of "+p).SetKind(principal.KindUSER).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("RoleBinding", p, tx.RoleBinding.Create().SetRole(auth.Viewer).SetPrincipalID(member).SetProjectID(id).SaveX(ctx).ID)
	e := w.add("ActivityEvent", p, w.event(tx, p, &id))
	w.add("ActivityOpening", p, tx.ActivityOpening.Create().SetCommitment("c").SetSalt("s").SetName("alice").SetActor(true).SetEventID(e).SaveX(ctx).ID)

	app := w.add("Application", p, tx.Application.Create().SetKey("app-"+p).SetName("app").SetCriticality(application.CriticalityHIGH).SetProjectID(id).SetLifecycleID(lc).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Label", p, tx.Label.Create().SetKey("k").SetValue("v").SetApplicationID(app).SaveX(ctx).ID)
	now := w.add("Owner", p, tx.Owner.Create().SetRef("team:"+p).SetPseudonym("team:"+p).SetCreatedAt(epoch).SaveX(ctx).ID)
	past := w.add("Owner", p, tx.Owner.Create().SetRef("user:"+p).SetPseudonym("person:"+p).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Ownership", p, tx.Ownership.Create().SetSince(epoch).SetApplicationID(app).SetOwnerID(now).SetAssignedBy(w.alice).SaveX(ctx).ID)
	w.add("Ownership", p, tx.Ownership.Create().SetSince(epoch).SetUntil(epoch).SetApplicationID(app).SetOwnerID(past).SetAssignedBy(w.alice).SaveX(ctx).ID)

	w.add("Freeze", p, w.freeze(tx).SetProjectID(id).SaveX(ctx).ID)
	w.add("TriageDecision", p, w.triage(tx).SetApplicationID(app).SetProjectID(id).SaveX(ctx).ID)
	w.notice(tx, p, now, [2]int{app, id})

	w.add("SearchWord", p, tx.SearchWord.Create().SetWord(p).SetApplicationID(app).SaveX(ctx).ID)
	w.packages(tx, p, app)
	w.version(tx, p, id, app, st)

	targeted := w.add("GatePolicy", p, w.policy(tx, "for-"+p, gatepolicy.ScopeTypePROJECT))
	w.add("PolicyTarget", p, tx.PolicyTarget.Create().SetPolicyID(targeted).SetProjectID(id).SaveX(ctx).ID)
	w.evidence(tx, p, &id, "sha256:anything")
	w.evidence(tx, p, nil, "sha256:released-by-"+p)
	w.evidence(tx, p, nil, "sha256:manifest-of-"+p)
	w.build(tx, p, &id)
	w.evidence(tx, p, nil, "sha256:build-of-"+p)
	return id
}

// build adds a build and what it made.
func (w *world) build(tx *db.Client, owner string, projectID *int) {
	ctx := w.ctx
	b := w.add("Build", owner, tx.Build.Create().SetName("build").SetNumber("1").SetRealm(owner).SetDigest("sha256:build-of-"+owner).SetRepository("r").SetRevision("c").
		SetNillableProjectID(projectID).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("BuildArtifact", owner, tx.BuildArtifact.Create().SetName("a").SetDigest("d").SetBuildID(b).SaveX(ctx).ID)
}

// packages adds one that is owned, one that was owned, and a version of each.
func (w *world) packages(tx *db.Client, p string, app int) {
	ctx := w.ctx
	for _, name := range []string{"owned", "lost"} {
		pkg := w.add("Pkg", p, tx.Pkg.Create().SetPurl("pkg:npm/"+name+"-"+p).SetCreatedAt(epoch).SaveX(ctx).ID)
		w.add("PackageVersion", p, tx.PackageVersion.Create().SetPurl("pkg:npm/"+name+"-"+p+"@1").SetPackageID(pkg).SetCreatedAt(epoch).SaveX(ctx).ID)
		w.add("SearchWord", p, tx.SearchWord.Create().SetWord(name).SetPackageID(pkg).SaveX(ctx).ID)
		bound := tx.Binding.Create().SetSince(epoch).SetPackageID(pkg).SetApplicationID(app).SetBoundBy(w.alice)
		if name == "lost" {
			bound.SetUntil(epoch)
		}
		w.add("Binding", p, bound.SaveX(ctx).ID)
	}
}

// version adds a version with contents, a promotion, a decision and an attestation.
func (w *world) version(tx *db.Client, p string, projectID, app, st int) {
	ctx := w.ctx
	v := w.add("ApplicationVersion", p, tx.ApplicationVersion.Create().SetVersion("1").SetManifestDigest("sha256:manifest-of-"+p).SetManifest("{}").SetContext("{}").
		SetReleasableCount(2).SetProjectID(projectID).SetApplicationID(app).SetStageID(st).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Deployment", p, tx.Deployment.Create().SetEnvironment("prod").SetKind(deployment.KindRELEASE).SetStatus(deployment.StatusSUCCEEDED).SetDecision(deployment.DecisionNOT_RELEASED).
		SetVersionID(v).SetApplicationID(app).SetProjectID(projectID).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	used := w.add("Pkg", p, tx.Pkg.Create().SetPurl("pkg:npm/used-by-"+p).SetCreatedAt(epoch).SaveX(ctx).ID)
	usedVersion := w.add("PackageVersion", p, tx.PackageVersion.Create().SetPurl("pkg:npm/used-by-"+p+"@1").SetPackageID(used).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("Releasable", p, tx.Releasable.Create().SetName("used").SetKind(releasable.KindPACKAGE).SetVersionID(v).SetPackageID(used).SetPackageVersionID(usedVersion).SaveX(ctx).ID)
	w.add("Releasable", p, tx.Releasable.Create().SetName("image").SetKind(releasable.KindARTIFACT).SetDigest("sha256:released-by-"+p).SetVersionID(v).SaveX(ctx).ID)
	w.add("Releasable", p, tx.Releasable.Create().SetName("base").SetKind(releasable.KindARTIFACT).SetDigest("sha256:released-by-both").SetVersionID(v).SaveX(ctx).ID)
	pr := w.add("Promotion", p, tx.Promotion.Create().SetKind(promotion.KindPROMOTE).SetStatus(promotion.StatusCOMPLETED).SetAt(epoch).SetProjectID(projectID).SetVersionID(v).SetToStageID(st).SetActorID(w.alice).SaveX(ctx).ID)
	ev := w.add("Evaluation", p, tx.Evaluation.Create().SetEvalID("eval-"+p).SetStageName("QA").SetGateKind(evaluation.GateKindENTRY).SetDecision(evaluation.DecisionPASS).SetExplanation("").
		SetEvaluatedAt(epoch).SetInputDigest("d").SetInputParts("[]").SetCapabilitiesDigest("d").SetPolicies("[]").SetResultsDigest("d").SetProjectID(projectID).SetVersionID(v).SetPromotionID(pr).SaveX(ctx).ID)
	at := w.add("Attestation", p, tx.Attestation.Create().SetDigest("sha256:"+p).SetPredicateType("p").SetStatement("{}").SetBundle("{}").SetCreatedAt(epoch).
		SetProjectID(projectID).SetVersionID(v).SetPromotionID(pr).SetSigningKeyID(w.key).SaveX(ctx).ID)
	w.add("VersionApproval", p, tx.VersionApproval.Create().SetDecision(versionapproval.DecisionAPPROVED).SetRoles([]string{}).SetAt(epoch).
		SetVersionID(v).SetProjectID(projectID).SetApproverID(w.alice).SetAttestationID(at).SaveX(ctx).ID)
	wv := w.add("Waiver", p, tx.Waiver.Create().SetRule("r").SetJustification("j").SetApprovalsNeeded(1).SetRequestedAt(epoch).SetExpiresAt(epoch).
		SetProjectID(projectID).SetApplicationID(app).SetRequestedBy(w.alice).SaveX(ctx).ID)
	w.add("WaiverDecision", p, tx.WaiverDecision.Create().SetApproved(true).SetAt(epoch).SetWaiverID(wv).SetDecidedBy(w.alice).SaveX(ctx).ID)
	w.add("Override", p, tx.Override.Create().SetCode("c").SetSubject("s").SetWaiverID(wv).SetEvaluationID(ev).SetVersionID(v).SetProjectID(projectID).SaveX(ctx).ID)
}

// freeze is a freeze that is not yet said for what.
func (w *world) freeze(tx *db.Client) *db.FreezeCreate {
	return tx.Freeze.Create().SetReason("r").SetStartsAt(epoch).SetEndsAt(epoch).SetCreatedAt(epoch).SetCreatedBy(w.alice)
}

// triage is a decision that is not yet said for whom.
func (w *world) triage(tx *db.Client) *db.TriageDecisionCreate {
	return tx.TriageDecision.Create().SetVulnerability("CVE-1").SetStatus(triagedecision.StatusAFFECTED).SetJustification("j").SetDecidedBy(w.alice).SetDecidedAt(epoch)
}

// notice adds a notice to somebody with an entry for each application, which is given with its project.
func (w *world) notice(tx *db.Client, owner string, to int, of ...[2]int) {
	n := w.add("Notice", owner, tx.Notice.Create().SetOwnerID(to).SetOpenedAt(epoch).SetUpdatedAt(epoch).SaveX(w.ctx).ID)
	for i, app := range of {
		in := owner
		if owner == "both" {
			in = string("ab"[i])
		}
		w.add("NoticeEntry", in, tx.NoticeEntry.Create().SetSeverity(noticeentry.SeverityHIGH).SetVulnerabilities(1).SetNamed([]string{"CVE-1"}).SetVersions([]int{}).
			SetNoticeID(n).SetApplicationID(app[0]).SetProjectID(app[1]).SaveX(w.ctx).ID)
	}
}

// shared adds what both projects reach, evidence about something that both release, and what looks like it: evidence about
// the one's release that was pushed to the other.
func (w *world) shared(tx *db.Client) {
	w.evidence(tx, "both", nil, "sha256:released-by-both")
	w.evidence(tx, "b", &w.b, "sha256:released-by-a")
	w.notice(tx, "both", w.rows["Owner"]["a"][0], [2]int{w.rows["Application"]["a"][0], w.a}, [2]int{w.rows["Application"]["b"][0], w.b})
}

// evidence adds evidence with a subject and an SBOM with a component.
func (w *world) evidence(tx *db.Client, owner string, projectID *int, subject string) {
	ctx := w.ctx
	n := owner + subject
	if projectID != nil {
		n += " pushed to the project"
	}
	bill := w.add("Sbom", owner, tx.Sbom.Create().SetDigest(n).SetFormat(sbom.FormatCYCLONEDX).SetSpecVersion("1.6").SetComponentCount(1).SetComplete(true).SetCreatedAt(epoch).SaveX(ctx).ID)
	part := w.add("Component", owner, tx.Component.Create().SetIdentity(n).SetName(n).SetVersion("1").SaveX(ctx).ID)
	w.add("SbomComponent", owner, tx.SbomComponent.Create().SetLicenses([]string{"MIT"}).SetDirect(true).SetSbomID(bill).SetComponentID(part).SaveX(ctx).ID)
	v := w.add("Vulnerability", "everybody", tx.Vulnerability.Create().SetName("CVE of "+n).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("VulnerabilityAlias", "everybody", tx.VulnerabilityAlias.Create().SetName("alias of "+n).SetVulnerabilityID(v).SaveX(ctx).ID)
	a := w.add("Advisory", "everybody", tx.Advisory.Create().SetName("GHSA of "+n).SetDigest("d").SetModifiedAt(epoch).SetImportedAt(epoch).SetVulnerabilityID(v).SaveX(ctx).ID)
	w.add("AffectedPackage", "everybody", tx.AffectedPackage.Create().SetPackageKey("npm:"+n).SetAdvisoryID(a).SaveX(ctx).ID)
	w.add("ComponentMatch", owner, tx.ComponentMatch.Create().SetBecause("it is").SetFixedIn([]string{}).SetComponentID(part).SetAdvisoryID(a).SetVulnerabilityID(v).SetCreatedAt(epoch).SaveX(ctx).ID)
	e := w.add("Evidence", owner, tx.Evidence.Create().SetDigest(n).SetSignerKey("").SetRealm(owner).SetRawDigest("d").SetMediaType("m").SetSize(1).SetPredicateType("p").
		SetCategory(evidence.CategorySECURITY).SetVerified(false).SetVerification("unsigned").SetNillableProjectID(projectID).SetSbomID(bill).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("EvidenceWithdrawal", owner, tx.EvidenceWithdrawal.Create().SetReason("r").SetEvidenceID(e).SetWithdrawnBy(w.alice).SetAt(epoch).SaveX(ctx).ID)
	w.add("Attachment", owner, tx.Attachment.Create().SetName("a").SetMediaType("m").SetDigest("d").SetSize(1).SetEvidenceID(e).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(ctx).ID)
	w.add("EvidenceSubject", owner, tx.EvidenceSubject.Create().SetDigest(subject).SetEvidenceID(e).SaveX(ctx).ID)
}

func (w *world) policy(tx *db.Client, name string, scope gatepolicy.ScopeType) int {
	return tx.GatePolicy.Create().SetName(name).SetRevision(1).SetMode(gatepolicy.ModeBLOCK).SetEnabled(true).SetWaivable(true).SetStageName("QA").SetGateKind(gatepolicy.GateKindENTRY).
		SetScopeType(scope).SetLatest(true).SetCreatedBy(w.alice).SetCreatedAt(epoch).SaveX(w.ctx).ID
}

func (w *world) event(tx *db.Client, subject string, projectID *int) int {
	return tx.ActivityEvent.Create().SetAt(epoch).SetType("t").SetCategory(activityevent.CategoryCATALOG).SetResult(activityevent.ResultSUCCESS).SetSubject(subject).SetSummary("s").
		SetLeaf([]byte("{}")).SetLeafHash([]byte("h")).SetNillableProjectID(projectID).SaveX(w.ctx).ID
}
