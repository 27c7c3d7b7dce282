package graph

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attachment"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/feed"
	"github.com/plimsoll/plimsoll/ent/db/freeze"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/lifecycle"
	"github.com/plimsoll/plimsoll/ent/db/notice"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/ent/db/triagedecision"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/ent/db/versionapproval"
	"github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// tableOf names the table of each type that a global id may name.
func tableOf(typ string) string {
	return map[string]string{
		"ActivityEvent": activityevent.Table, "Application": application.Table, "ApplicationVersion": applicationversion.Table,
		"Attachment": attachment.Table, "Attestation": attestation.Table, "Build": build.Table, "Deployment": deployment.Table, "Feed": feed.Table, "Freeze": freeze.Table, "VersionApproval": versionapproval.Table, "Waiver": waiver.Table, "Notice": notice.Table, "TriageDecision": triagedecision.Table, "Evidence": evidence.Table, "GatePolicy": gatepolicy.Table, "Lifecycle": lifecycle.Table,
		"Owner": owner.Table, "Package": pkg.Table, "PolicyTemplate": policytemplate.Table, "Project": project.Table,
		"Promotion": promotion.Table, "Releasable": releasable.Table, "Rule": rule.Table, "Sbom": sbom.Table, "Stage": stage.Table,
		"Binding": binding.Table, "Ownership": ownership.Table,
		"Token": token.Table, "TrustAnchor": trustanchor.Table,
	}[typ]
}

// node finds a record by type and row number; nil when there is none for whoever asks. A token is shown to those alone
// who may list tokens.
func (r *Resolver) node(ctx context.Context, typ string, n int) (model.Node, error) {
	table := tableOf(typ)
	if table == "" {
		return nil, nil
	}
	if typ == "Token" {
		if auth.Admit(ctx, "Query.tokens") != nil {
			return nil, nil
		}
		t, err := r.do.Access.Token(ctx, n)
		if t == nil || err != nil {
			return nil, err
		}
		return t, nil
	}
	found, err := r.do.Nodes.Noder(ctx, n, db.WithFixedNodeType(table))
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load %s %d: %w", typ, n, err)
	}
	shown, ok := found.(model.Node)
	if !ok {
		return nil, fmt.Errorf("type %s has no global id", typ)
	}
	return shown, nil
}
