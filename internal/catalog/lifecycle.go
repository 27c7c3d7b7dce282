package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/lifecycle"
	"github.com/plimsoll/plimsoll/ent/db/lifecyclestep"
)

// LifecyclesOf returns the lifecycles of a project, oldest first.
func (s *Service) LifecyclesOf(ctx context.Context, projectID int) ([]*db.Lifecycle, error) {
	lifecycles, err := s.store.Read().Lifecycle.Query().Where(lifecycle.ProjectID(projectID)).Order(lifecycle.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load lifecycles: %w", err)
	}
	return lifecycles, nil
}

// StagesOfLifecycle returns the stages of a lifecycle in order; none when it does not exist for whoever asks.
func (s *Service) StagesOfLifecycle(ctx context.Context, lifecycleID int) ([]*db.Stage, error) {
	return Stages(ctx, s.store.Read(), lifecycleID)
}

// StagesOfLifecycles returns the stages of each of the lifecycles in order.
func (s *Service) StagesOfLifecycles(ctx context.Context, lifecycleIDs []int) (map[int][]*db.Stage, error) {
	return stagesOf(ctx, s.store.Read(), lifecycleIDs)
}

// Stages returns the stages of a lifecycle in order, as a transaction, or a client that reads, sees them.
func Stages(ctx context.Context, tx *db.Client, lifecycleID int) ([]*db.Stage, error) {
	stages, err := stagesOf(ctx, tx, []int{lifecycleID})
	return stages[lifecycleID], err
}

func stagesOf(ctx context.Context, tx *db.Client, lifecycleIDs []int) (map[int][]*db.Stage, error) {
	steps, err := tx.LifecycleStep.Query().Where(lifecyclestep.LifecycleIDIn(lifecycleIDs...)).
		Order(lifecyclestep.ByLifecycleID(), lifecyclestep.ByPosition()).WithStage().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load stages of lifecycles: %w", err)
	}
	stages := map[int][]*db.Stage{}
	for _, step := range steps {
		stages[step.LifecycleID] = append(stages[step.LifecycleID], step.Edges.Stage)
	}
	return stages, nil
}

// HoldLifecycle loads a lifecycle in a transaction and keeps it, with its stages, from being changed until the
// transaction ends. Whoever moves a version to a stage holds the lifecycle it follows, compares its revision with the one
// the decision was made on, and so never arrives in a stage that is dropped at that moment.
func HoldLifecycle(ctx context.Context, tx *db.Client, lifecycleID int) (*db.Lifecycle, error) {
	l, err := tx.Lifecycle.Query().Where(lifecycle.ID(lifecycleID), hold).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("hold lifecycle %d: %w", lifecycleID, err)
	}
	return l, nil
}
