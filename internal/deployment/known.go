package deployment

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

type predicateOf = predicate.Deployment

// known finds the rollout that a report speaks of: by its id, or by all that is said of it when that includes when it
// began. Nil when it is a new one.
func (s *Service) known(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, in RecordDeploymentInput) (*db.Deployment, error) {
	if in.ID != nil {
		return byID(ctx, tx, v, in)
	}
	if in.StartedAt == nil {
		return nil, nil
	}
	d, err := tx.Deployment.Query().Where(
		deployment.VersionID(v.ID), deployment.Environment(in.Environment), deployment.Cluster(in.cluster()),
		deployment.KindEQ(deployment.Kind(in.Kind)), deployment.StartedAt(*in.StartedAt),
	).Order(deployment.ByID()).First(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the same deployment: %w", err)
	}
	return d, nil
}

func byID(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, in RecordDeploymentInput) (*db.Deployment, error) {
	typ, n, err := id.ParseGlobal(*in.ID)
	if err != nil || typ != "Deployment" {
		return nil, fault.At("input.id", "not the id of a deployment")
	}
	d, err := tx.Deployment.Get(ctx, n)
	if db.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "there is no such deployment").With("path", "input.id")
	}
	if err != nil {
		return nil, fmt.Errorf("load deployment: %w", err)
	}
	for _, of := range []struct {
		path, what string
		same       bool
	}{
		{"input.applicationKey", "application", d.ApplicationID == v.ApplicationID},
		{"input.version", "version", d.VersionID == v.ID},
		{"input.environment", "environment", d.Environment == in.Environment},
		{"input.cluster", "cluster", d.Cluster == in.cluster()},
		{"input.kind", "kind", string(d.Kind) == in.Kind},
		{"input.startedAt", "beginning", in.StartedAt == nil || d.StartedAt != nil && d.StartedAt.Equal(*in.StartedAt)},
	} {
		if !of.same {
			return nil, fault.At(of.path, "the deployment was recorded with another %s: only its status and end can be set", of.what)
		}
	}
	return d, nil
}
