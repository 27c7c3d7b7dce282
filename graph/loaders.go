package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/version"
)

// loaders gather what the nodes of one answer ask for, so that a list costs one query for each kind of thing it shows and
// not one for each node. They live as long as one operation, so nothing in them grows stale.
type loaders struct {
	owners      *dataloadgen.Loader[int, []*db.Owner]
	stages      *dataloadgen.Loader[int, []*db.Stage]
	principals  *dataloadgen.Loader[int, string]
	attachments *dataloadgen.Loader[int, []*db.Attachment]
	owning      *dataloadgen.Loader[catalog.PackageRef, *db.Application]

	parts     *dataloadgen.Loader[version.Claim, *db.Application]
	builds    *dataloadgen.Loader[int, *db.Build]
	artifacts *dataloadgen.Loader[int, []*db.BuildArtifact]
	versions  *dataloadgen.Loader[int, *db.ApplicationVersion]
	children  *dataloadgen.Loader[string, []*db.ImageChild]

	logIndexes *dataloadgen.Loader[int, *int]

	deployments *dataloadgen.Loader[int, []*db.Deployment]

	notices        *dataloadgen.Loader[int, string]
	noticeVersions *dataloadgen.Loader[int, []*db.ApplicationVersion]

	waivers   *dataloadgen.Loader[int, *db.Waiver]
	decisions *dataloadgen.Loader[int, []*db.WaiverDecision]
	approvals *dataloadgen.Loader[int, []*db.VersionApproval]
	rego      *dataloadgen.Loader[policy.TemplateRef, *string]
	sentences *dataloadgen.Loader[int, string]

	ownersAsOf   *dataloadgen.Loader[catalog.AsOf, []*db.Owner]
	owningAsOf   *dataloadgen.Loader[catalog.AsOf, *db.Application]
	bindingPurls *dataloadgen.Loader[int, string]
}

type loadersKey struct{}

// gatherFor is how long a loader waits for more nodes to ask.
const gatherFor = 200 * time.Microsecond

// withLoaders gives each operation loaders of its own.
func (r *Resolver) withLoaders(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	wait := dataloadgen.WithWait(gatherFor)
	return next(context.WithValue(ctx, loadersKey{}, &loaders{
		owners:      dataloadgen.NewLoader(each(r.do.Catalog.OwnersOf), wait),
		stages:      dataloadgen.NewLoader(each(r.do.Catalog.StagesOfLifecycles), wait),
		principals:  dataloadgen.NewLoader(each(r.do.Access.PrincipalNames), wait),
		attachments: dataloadgen.NewLoader(each(r.do.Evidence.AttachmentsOf), wait),
		owning:      dataloadgen.NewLoader(each(r.do.Catalog.OwningApplications), wait),

		parts:     dataloadgen.NewLoader(each(r.do.Versions.OwnersOfParts), wait),
		builds:    dataloadgen.NewLoader(each(r.do.Builds.ByID), wait),
		artifacts: dataloadgen.NewLoader(each(r.do.Builds.Artifacts), wait),
		versions:  dataloadgen.NewLoader(each(r.do.Versions.ByID), wait),
		children:  dataloadgen.NewLoader(each(r.do.Evidence.ChildrenOf), wait),

		logIndexes: dataloadgen.NewLoader(each(r.do.Tree.IndexesOf), wait),

		deployments: dataloadgen.NewLoader(each(r.do.Deployments.OfVersions), wait),

		notices:        dataloadgen.NewLoader(each(r.do.Vulnerabilities.Summaries), wait),
		noticeVersions: dataloadgen.NewLoader(each(r.do.Vulnerabilities.VersionsOf), wait),

		waivers:   dataloadgen.NewLoader(each(r.do.Waivers.ByID), wait),
		decisions: dataloadgen.NewLoader(each(r.do.Waivers.DecisionsOf), wait),
		approvals: dataloadgen.NewLoader(each(r.do.Approvals.Of), wait),
		rego:      dataloadgen.NewLoader(each(r.do.Policies.RegoOf), wait),
		sentences: dataloadgen.NewLoader(each(r.do.Policies.Sentences), wait),

		ownersAsOf:   dataloadgen.NewLoader(each(r.do.Catalog.OwnersAsOf), wait),
		owningAsOf:   dataloadgen.NewLoader(each(r.do.Catalog.OwningApplicationsAsOf), wait),
		bindingPurls: dataloadgen.NewLoader(each(r.do.Catalog.PurlsOfBindings), wait),
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

// each turns a function that answers with a map into one that answers in the order of the question. What the map does
// not hold is the zero value: nothing there for whoever asks.
func each[K comparable, V any](all func(context.Context, []K) (map[K]V, error)) func(context.Context, []K) ([]V, []error) {
	return func(ctx context.Context, keys []K) ([]V, []error) {
		found, err := all(ctx, keys)
		if err != nil {
			return nil, []error{err}
		}
		values := make([]V, len(keys))
		for i, k := range keys {
			values[i] = found[k]
		}
		return values, nil
	}
}
