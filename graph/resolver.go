// Package graph is transport: it maps the shape of the API to the verbs of the domains and back, and nothing else. Each
// file of the schema has its resolvers beside it; what they share stands in resolver.go, page.go and loaders.go.
package graph

import (
	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/translog"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// Services are what resolvers call.
type Services struct {
	Access   *access.Service
	Activity *activity.Log
	// Tree proves what the log holds.
	Tree *translog.Service
	// Exports write the log for systems that watch.
	Exports  *export.Service
	Catalog  *catalog.Service
	Builds   *build.Service
	Versions *version.Service
	Evidence *evidence.Service
	Policies *policy.Service
	Gates    *gate.Service
	Releases *release.Service
	// Vulnerabilities, Blasts and Deployments answer what happens after release.
	Vulnerabilities *vulnerability.Service
	Blasts          *blast.Service
	Deployments     *deployment.Service
	// Waivers, Freezes and Approvals are what people say to gates.
	Waivers   *waiver.Service
	Freezes   *freeze.Service
	Approvals *approval.Service
	Signing   *signing.Service
	// Nodes finds any record by its global id; everything else goes through the services.
	Nodes *db.Client
}

// Resolver is what gqlgen calls.
type Resolver struct{ do Services }
