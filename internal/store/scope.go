package store

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attachment"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/buildartifact"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/ent/db/componentmatch"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/evidencewithdrawal"
	"github.com/plimsoll/plimsoll/ent/db/freeze"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/intercept"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/ent/db/lifecycle"
	"github.com/plimsoll/plimsoll/ent/db/lifecyclestep"
	"github.com/plimsoll/plimsoll/ent/db/notice"
	"github.com/plimsoll/plimsoll/ent/db/noticeentry"
	"github.com/plimsoll/plimsoll/ent/db/override"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/packageversion"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/ent/db/policytarget"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/rolebinding"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/sbomcomponent"
	"github.com/plimsoll/plimsoll/ent/db/searchword"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/ent/db/triagedecision"
	"github.com/plimsoll/plimsoll/ent/db/versionapproval"
	"github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/ent/db/waiverdecision"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// narrow limits a query to the rows that exist for the principal in ctx. Every client of the store passes its queries
// through here, those that load edges, count or page included. A query of a table without a rule fails.
func narrow(ctx context.Context, q db.Query) error {
	reach := auth.ReachOf(ctx)
	rule, known := ruleFor(ctx, q, reach.Projects)
	if !known {
		return fmt.Errorf("no rule says for whom the rows of %T exist: add one to internal/store/scope.go", q)
	}
	if reach.All || len(reach.Projects) > 0 && rule == nil {
		return nil
	}
	query, err := intercept.NewQuery(q)
	if err != nil {
		return fmt.Errorf("narrow query: %w", err)
	}
	query.WhereP(func(s *entsql.Selector) {
		if len(reach.Projects) == 0 {
			s.Where(entsql.False())
			return
		}
		s.Where(rule(s))
	})
	return nil
}

// row is a row of a table that a query looks at: it qualifies the names of columns.
type row interface{ C(column string) string }

// rule says of a row whether it exists for those who reach the projects that it was made for.
type rule func(row) *entsql.Predicate

// ruleFor returns the rule of the table that q reads. A nil rule means that its rows exist for whoever reaches anything.
func ruleFor(ctx context.Context, q db.Query, projects []int) (_ rule, known bool) {
	r := reached(projects)
	switch q.(type) {
	case *db.ProjectQuery:
		return r.project(project.FieldID), true
	case *db.StageQuery:
		return either(ofOrganisation, r.project(stage.FieldProjectID)), true // or of the organisation
	case *db.LifecycleQuery:
		return r.project(lifecycle.FieldProjectID), true
	case *db.LifecycleStepQuery:
		return has(lifecycle.Table, lifecycle.FieldID, lifecyclestep.FieldLifecycleID, r.project(lifecycle.FieldProjectID)), true
	case *db.ApplicationQuery:
		return r.project(application.FieldProjectID), true
	case *db.LabelQuery:
		return either(r.project(label.FieldProjectID), r.application(label.FieldApplicationID)), true
	case *db.OwnershipQuery:
		return r.application(ownership.FieldApplicationID), true
	case *db.OwnerQuery: // who owns, or ever owned
		return has(ownership.Table, ownership.FieldOwnerID, owner.FieldID, r.application(ownership.FieldApplicationID)), true

	case *db.BindingQuery:
		return r.application(binding.FieldApplicationID), true
	case *db.PkgQuery:
		return r.pkg(pkg.FieldID), true
	case *db.SearchWordQuery:
		return either(r.application(searchword.FieldApplicationID), r.pkg(searchword.FieldPackageID)), true
	case *db.PackageVersionQuery:
		return r.pkg(packageversion.FieldPackageID), true
	case *db.ApplicationVersionQuery:
		return r.project(applicationversion.FieldProjectID), true
	case *db.BuildQuery: // or of the organisation
		return r.build, true
	case *db.BuildArtifactQuery:
		return has(build.Table, build.FieldID, buildartifact.FieldBuildID, r.build), true
	case *db.ReleasableQuery:
		return r.version(releasable.FieldVersionID), true
	case *db.PromotionQuery:
		return r.project(promotion.FieldProjectID), true
	case *db.EvaluationQuery:
		return r.project(evaluation.FieldProjectID), true
	case *db.AttestationQuery:
		return r.project(attestation.FieldProjectID), true

	case *db.EvidenceQuery:
		return r.evidence, true
	case *db.EvidenceSubjectQuery:
		return has(evidence.Table, evidence.FieldID, evidencesubject.FieldEvidenceID, r.evidence), true
	case *db.AttachmentQuery:
		return has(evidence.Table, evidence.FieldID, attachment.FieldEvidenceID, r.evidence), true
	case *db.EvidenceWithdrawalQuery:
		return has(evidence.Table, evidence.FieldID, evidencewithdrawal.FieldEvidenceID, r.evidence), true
	case *db.ImageChildQuery:
		return nil, true // found by the digest of an index alone, through the record that names it
	case *db.SbomQuery:
		return r.sbom(sbom.FieldID), true
	case *db.SbomComponentQuery:
		return r.sbom(sbomcomponent.FieldSbomID), true
	case *db.ComponentQuery:
		return has(sbomcomponent.Table, sbomcomponent.FieldComponentID, component.FieldID, r.sbom(sbomcomponent.FieldSbomID)), true

	case *db.VulnerabilityQuery, *db.VulnerabilityAliasQuery, *db.AdvisoryQuery, *db.AffectedPackageQuery:
		return nil, true // what the world knows
	case *db.ComponentMatchQuery:
		return has(sbomcomponent.Table, sbomcomponent.FieldComponentID, componentmatch.FieldComponentID, r.sbom(sbomcomponent.FieldSbomID)), true
	case *db.FeedQuery:
		return nil, true
	case *db.TriageDecisionQuery: // or about a label, which binds everybody who bears it
		return either(ofOrganisation, r.project(triagedecision.FieldProjectID)), true
	case *db.WaiverQuery:
		return r.project(waiver.FieldProjectID), true
	case *db.WaiverDecisionQuery:
		return has(waiver.Table, waiver.FieldID, waiverdecision.FieldWaiverID, r.project(waiver.FieldProjectID)), true
	case *db.OverrideQuery:
		return r.project(override.FieldProjectID), true
	case *db.FreezeQuery: // or of a label or everything, which stops whoever is in reach, too
		return either(ofOrganisation, r.project(freeze.FieldProjectID)), true
	case *db.VersionApprovalQuery:
		return r.project(versionapproval.FieldProjectID), true
	case *db.NoticeQuery: // what says nothing of what is in reach is not there
		return has(noticeentry.Table, noticeentry.FieldNoticeID, notice.FieldID, r.project(noticeentry.FieldProjectID)), true
	case *db.NoticeEntryQuery:
		return r.project(noticeentry.FieldProjectID), true
	case *db.DeploymentQuery:
		return r.project(deployment.FieldProjectID), true

	case *db.GatePolicyQuery: // what binds nobody in reach stays unseen; a policy for everybody binds everybody
		return either(
			equals(gatepolicy.FieldScopeType, string(gatepolicy.ScopeTypeGLOBAL)),
			has(policytarget.Table, policytarget.FieldPolicyID, gatepolicy.FieldID, r.project(policytarget.FieldProjectID)),
		), true
	case *db.PolicyTargetQuery:
		return r.project(policytarget.FieldProjectID), true
	case *db.TrustAnchorQuery, *db.PolicyTemplateQuery, *db.RuleQuery, *db.SigningKeyQuery:
		return nil, true // of the organisation, and for everybody in it

	case *db.ActivityEventQuery:
		return r.project(activityevent.FieldProjectID), true
	case *db.ActivityOpeningQuery:
		return has(activityevent.Table, activityevent.FieldID, activityopening.FieldEventID, r.project(activityevent.FieldProjectID)), true

	case *db.LogTileQuery, *db.LogCheckpointQuery, *db.LogCosignatureQuery:
		return nil, true // hashes say nothing of what they are of

	case *db.TokenQuery:
		return r.project(token.FieldProjectID), true
	case *db.RoleBindingQuery:
		own := equals(rolebinding.FieldPrincipalID, principalID(ctx))
		return either(r.project(rolebinding.FieldProjectID), own), true
	case *db.PrincipalQuery:
		return nil, true // the API does not show principals: they are read as the name of who acted on a record in reach
	case *db.BlobQuery:
		return nil, true // found by digest alone, through the record that names it
	}
	return nil, false
}

// principalID returns the row of who asks, or 0, which no row has.
func principalID(ctx context.Context) int {
	p, err := auth.From(ctx)
	if err != nil {
		return 0
	}
	return p.ID
}

// reached are the projects that a principal reaches. Its methods are rules; those that take a column follow it to the row
// it refers to. All of them look rows up by index, so that their cost does not grow with what lies out of reach.
type reached []int

func (r reached) project(column string) rule {
	return func(t row) *entsql.Predicate { return entsql.InInts(t.C(column), r...) }
}

//nolint:unparam // each table names its own column; that they are called alike is chance
func (r reached) application(column string) rule {
	return has(application.Table, application.FieldID, column, r.project(application.FieldProjectID))
}

func (r reached) version(column string) rule {
	return has(applicationversion.Table, applicationversion.FieldID, column, r.project(applicationversion.FieldProjectID))
}

// pkg holds for a package that an application in reach owns or owned, or that a version in reach contains.
func (r reached) pkg(column string) rule {
	return either(
		has(binding.Table, binding.FieldPackageID, column, r.application(binding.FieldApplicationID)),
		has(releasable.Table, releasable.FieldPackageID, column, r.version(releasable.FieldVersionID)),
	)
}

// build holds for a build of the organisation or of a project in reach.
func (r reached) build(t row) *entsql.Predicate {
	return either(ofOrganisation, r.project(build.FieldProjectID))(t)
}

// evidence holds for evidence that was pushed to a project in reach, or to the organisation about something that a version
// in reach is or contains, or about a build in reach.
func (r reached) evidence(t row) *entsql.Predicate {
	of := func(column string) rule {
		return either(
			has(releasable.Table, releasable.FieldDigest, column, r.version(releasable.FieldVersionID)),
			either(
				has(applicationversion.Table, applicationversion.FieldManifestDigest, column, r.project(applicationversion.FieldProjectID)),
				has(build.Table, build.FieldDigest, column, r.build),
			),
		)
	}
	about := has(evidencesubject.Table, evidencesubject.FieldEvidenceID, evidence.FieldID, of(evidencesubject.FieldDigest))
	return entsql.Or(
		r.project(evidence.FieldProjectID)(t),
		entsql.And(ofOrganisation(t), about(t)),
	)
}

// sbom holds for an SBOM that came as evidence in reach.
func (r reached) sbom(column string) rule {
	return has(evidence.Table, evidence.FieldSbomID, column, r.evidence)
}

// has holds for a row when the other table has one whose key is the row's column and for which the rule holds.
func has(table, key, column string, of rule) rule {
	return func(t row) *entsql.Predicate {
		other := entsql.Table(table).As("reach_" + table)
		return entsql.Exists(entsql.Select(other.C(key)).From(other).Where(entsql.And(
			entsql.ColumnsEQ(other.C(key), t.C(column)),
			of(other),
		)))
	}
}

func either(a, b rule) rule {
	return func(t row) *entsql.Predicate { return entsql.Or(a(t), b(t)) }
}

// ofOrganisation holds for what is no project's: the column is called the same in every table.
func ofOrganisation(t row) *entsql.Predicate { return entsql.IsNull(t.C(build.FieldProjectID)) }

func equals(column string, value any) rule {
	return func(t row) *entsql.Predicate { return entsql.EQ(t.C(column), value) }
}
