package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/version"
)

// loaders gather what the nodes of one answer ask for, so that a list costs one query for each kind of thing it shows and
// not one for each node. They live as long as one operation, so nothing in them grows stale.
type loaders struct {
	owners      *gatherer[int, []*db.Owner]
	stages      *gatherer[int, []*db.Stage]
	principals  *gatherer[int, string]
	attachments *gatherer[int, []*db.Attachment]
	owning      *gatherer[catalog.PackageRef, *db.Application]

	parts     *gatherer[version.Claim, *db.Application]
	builds    *gatherer[int, *db.Build]
	artifacts *gatherer[int, []*db.BuildArtifact]
	versions  *gatherer[int, *db.ApplicationVersion]
	children  *gatherer[string, []*db.ImageChild]

	withdrawals *gatherer[int, *db.EvidenceWithdrawal]

	logIndexes *gatherer[int, *int]

	deployments *gatherer[int, []*db.Deployment]

	notices        *gatherer[int, string]
	noticeVersions *gatherer[int, []*db.ApplicationVersion]

	waivers   *gatherer[int, *db.Waiver]
	decisions *gatherer[int, []*db.WaiverDecision]
	approvals *gatherer[int, []*db.VersionApproval]
	rego      *gatherer[policy.TemplateRef, *string]
	sentences *gatherer[int, string]

	ownersAsOf   *gatherer[catalog.AsOf, []*db.Owner]
	owningAsOf   *gatherer[catalog.AsOf, *db.Application]
	bindingPurls *gatherer[int, string]
}

type loadersKey struct{}

// withLoaders gives each operation loaders of its own.
func (r *Resolver) withLoaders(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return next(context.WithValue(ctx, loadersKey{}, &loaders{
		owners:      gather(r.do.Catalog.OwnersOf),
		stages:      gather(r.do.Catalog.StagesOfLifecycles),
		principals:  gather(r.do.Access.PrincipalNames),
		attachments: gather(r.do.Evidence.AttachmentsOf),
		owning:      gather(r.do.Catalog.OwningApplications),

		parts:     gather(r.do.Versions.OwnersOfParts),
		builds:    gather(r.do.Builds.ByID),
		artifacts: gather(r.do.Builds.Artifacts),
		versions:  gather(r.do.Versions.ByID),
		children:  gather(r.do.Evidence.ChildrenOf),

		withdrawals: gather(r.do.Evidence.WithdrawalsOf),

		logIndexes: gather(r.do.Tree.IndexesOf),

		deployments: gather(r.do.Deployments.OfVersions),

		notices:        gather(r.do.Vulnerabilities.Summaries),
		noticeVersions: gather(r.do.Vulnerabilities.VersionsOf),

		waivers:   gather(r.do.Waivers.ByID),
		decisions: gather(r.do.Waivers.DecisionsOf),
		approvals: gather(r.do.Approvals.Of),
		rego:      gather(r.do.Policies.RegoOf),
		sentences: gather(r.do.Policies.Sentences),

		ownersAsOf:   gather(r.do.Catalog.OwnersAsOf),
		owningAsOf:   gather(r.do.Catalog.OwningApplicationsAsOf),
		bindingPurls: gather(r.do.Catalog.PurlsOfBindings),
	}))
}

func load(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

// principalName is who did what may not have happened yet: nil then.
func principalName(ctx context.Context, id *int) (*string, error) {
	if id == nil {
		return nil, nil
	}
	name, err := load(ctx).principals.Load(ctx, *id)
	return &name, err
}
