package deployment

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/internal/check"
)

const (
	maxKeys         = 100
	maxEnvironments = 20
)

// List returns a page of the rollouts that the filter takes, oldest first; nil takes all.
func (s *Service) List(ctx context.Context, f *DeploymentFilter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.DeploymentConnection, error) {
	where, err := s.where(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.store.Read().Deployment.Query().Where(where...).Paginate(ctx, after, first, before, last)
}

func (s *Service) where(ctx context.Context, f *DeploymentFilter) ([]predicateOf, error) {
	if f == nil {
		return nil, nil
	}
	if err := check.List("filter.applicationKeys", len(f.ApplicationKeys), maxKeys); err != nil {
		return nil, err
	}
	if err := check.List("filter.environments", len(f.Environments), maxEnvironments); err != nil {
		return nil, err
	}
	var where []predicateOf
	if len(f.ApplicationKeys) > 0 {
		ids, err := s.store.Read().Application.Query().Where(application.KeyIn(f.ApplicationKeys...)).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("find applications of deployments: %w", err)
		}
		where = append(where, deployment.ApplicationIDIn(ids...))
	}
	if len(f.Environments) > 0 {
		where = append(where, deployment.EnvironmentIn(f.Environments...))
	}
	switch {
	case f.Live == nil:
	case *f.Live:
		where = append(where, running)
	default:
		where = append(where, deployment.Live(false))
	}
	if len(f.Decisions) > 0 {
		decisions := make([]deployment.Decision, len(f.Decisions))
		for i, d := range f.Decisions {
			decisions[i] = deployment.Decision(d)
		}
		where = append(where, deployment.DecisionIn(decisions...))
	}
	return where, nil
}

// running holds for what is live. What is live is little among all that was, so its own index says which, before the order of
// the list does.
func running(s *sql.Selector) {
	live := sql.Dialect(s.Dialect()).Table(deployment.Table)
	keys := sql.Dialect(s.Dialect()).Select(live.C(deployment.FieldID)).From(live)
	deployment.Live(true)(keys)
	s.Where(sql.In(s.C(deployment.FieldID), keys))
}

// OfVersions returns the rollouts of each of the versions, oldest first.
func (s *Service) OfVersions(ctx context.Context, versionIDs []int) (map[int][]*db.Deployment, error) {
	found, err := s.store.Read().Deployment.Query().Where(deployment.VersionIDIn(versionIDs...)).Order(deployment.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load deployments: %w", err)
	}
	of := make(map[int][]*db.Deployment, len(versionIDs))
	for _, d := range found {
		of[d.VersionID] = append(of[d.VersionID], d)
	}
	return of, nil
}
