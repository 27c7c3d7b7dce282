package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/lifecycle"
	"github.com/plimsoll/plimsoll/ent/db/lifecyclestep"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// DefaultLifecycle is the name of the lifecycle that a project's applications follow when they name none.
const DefaultLifecycle = "default"

// maxStages is how many stages a lifecycle has at most.
const maxStages = 50

// SetLifecycleInput is a lifecycle as it shall be: the names of its stages in order.
type SetLifecycleInput struct {
	ProjectKey string
	// Name is DefaultLifecycle when empty.
	Name         string
	Stages       []string
	EnforceOrder bool
}

// SetLifecycle makes a lifecycle, or replaces the stages of the project's lifecycle with this name. Applications of the
// project that follow none adopt the one called DefaultLifecycle when it is made.
//
// It fails with FAILED_PRECONDITION when a stage would be dropped in which a version that follows the lifecycle is now.
func (s *Service) SetLifecycle(ctx context.Context, in SetLifecycleInput) (*db.Lifecycle, error) {
	if in.Name == "" {
		in.Name = DefaultLifecycle
	}
	err := check.First(check.Key("input.projectKey", in.ProjectKey), check.Name("input.name", in.Name), checkStageNames(in.Stages))
	if err != nil {
		return nil, err
	}
	var l *db.Lifecycle
	err = s.write(ctx, func(tx *db.Client) error {
		p, err := projectForWriting(ctx, tx, in.ProjectKey, change)
		if err != nil {
			return err
		}
		if _, err := auth.Allow(ctx, "setLifecycle", p.ID); err != nil {
			return err
		}
		stages, err := resolveStages(ctx, tx, p, in.Stages)
		if err != nil {
			return err
		}
		l, err = tx.Lifecycle.Query().Where(lifecycle.ProjectID(p.ID), lifecycle.Name(in.Name), change).Only(ctx)
		switch {
		case db.IsNotFound(err):
			l, err = s.makeLifecycle(ctx, tx, p, in, stages)
		case err == nil:
			l, err = s.changeLifecycle(ctx, tx, p, l, in.EnforceOrder, stages)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Lifecycle.Get(ctx, l.ID)
}

func checkStageNames(names []string) error {
	if len(names) == 0 {
		return fault.At("input.stages", "a lifecycle has 1 to %d stages; name at least one of category RELEASE", maxStages)
	}
	if err := check.List("input.stages", len(names), maxStages); err != nil {
		return err
	}
	for i, name := range names {
		path := fmt.Sprintf("input.stages.%d", i)
		if err := check.Name(path, name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fault.At(path, "the stage %q stands in the lifecycle before; name it once", name)
		}
	}
	return nil
}

// resolveStages finds the stages of the project, or else of the organisation, and holds them to the rule that the last,
// and only the last, is of category RELEASE.
func resolveStages(ctx context.Context, tx *db.Client, p *db.Project, names []string) ([]*db.Stage, error) {
	found, err := tx.Stage.Query().Where(stage.RealmIn(p.Key, organisationRealm), stage.NameIn(names...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load stages of project %s: %w", p.Key, err)
	}
	byName := map[string]*db.Stage{}
	for _, st := range found {
		if byName[st.Name] == nil || st.Realm == p.Key {
			byName[st.Name] = st
		}
	}
	stages := make([]*db.Stage, len(names))
	for i, name := range names {
		path, last := fmt.Sprintf("input.stages.%d", i), i == len(names)-1
		st := byName[name]
		switch {
		case st == nil:
			return nil, fault.At(path, "neither project %s nor the organisation has a stage %q; make it with createStage first", p.Key, name)
		case last && st.Category != stage.CategoryRELEASE:
			return nil, fault.At(path, "the last stage must be of category RELEASE and %q is of category %s; end with the stage in which versions are released", name, st.Category)
		case !last && st.Category == stage.CategoryRELEASE:
			return nil, fault.At(path, "only the last stage may be of category RELEASE; move %q to the end or leave it out", name)
		}
		stages[i] = st
	}
	return stages, nil
}

func (s *Service) makeLifecycle(ctx context.Context, tx *db.Client, p *db.Project, in SetLifecycleInput, stages []*db.Stage) (*db.Lifecycle, error) {
	l, err := tx.Lifecycle.Create().SetProjectID(p.ID).SetName(in.Name).SetEnforceOrder(in.EnforceOrder).SetCreatedAt(s.now()).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write lifecycle %s: %w", in.Name, err)
	}
	if err := writeSteps(ctx, tx, l, stages); err != nil {
		return nil, err
	}
	changes := []activity.Change{
		activity.Added("stages", activity.Text(order(stages))),
		activity.Added("enforceOrder", activity.Text(fmt.Sprint(l.EnforceOrder))),
	}
	if l.Name == DefaultLifecycle {
		followers, err := adopt(ctx, tx, l)
		if err != nil {
			return nil, err
		}
		for _, key := range followers {
			changes = append(changes, activity.Added("followers", activity.Text(key)))
		}
	}
	return l, s.log.Append(ctx, tx, activity.Event{
		Type: activity.LifecycleSet, Project: p, Subject: l.Name, Changes: changes,
		Summary: fmt.Sprintf("Lifecycle %s of project %s was made.", l.Name, p.Key),
	})
}

// adopt lets the project's applications that follow no lifecycle follow this one. Their keys are returned.
func adopt(ctx context.Context, tx *db.Client, l *db.Lifecycle) ([]string, error) {
	keys, err := tx.Application.Query().Where(application.ProjectID(l.ProjectID), application.LifecycleIDIsNil()).
		Order(application.ByID()).Select(application.FieldKey).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for applications without a lifecycle: %w", err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	err = tx.Application.Update().Where(application.ProjectID(l.ProjectID), application.LifecycleIDIsNil()).SetLifecycleID(l.ID).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("let applications follow lifecycle %s: %w", l.Name, err)
	}
	return keys, nil
}

func (s *Service) changeLifecycle(ctx context.Context, tx *db.Client, p *db.Project, l *db.Lifecycle, enforce bool, stages []*db.Stage) (*db.Lifecycle, error) {
	before, err := Stages(ctx, tx, l.ID)
	if err != nil {
		return nil, err
	}
	same := slices.EqualFunc(before, stages, func(a, b *db.Stage) bool { return a.ID == b.ID })
	if same && l.EnforceOrder == enforce {
		return l, nil
	}
	var changes []activity.Change
	if !same {
		if err := checkDropped(ctx, tx, l, before, stages); err != nil {
			return nil, err
		}
		if _, err := tx.LifecycleStep.Delete().Where(lifecyclestep.LifecycleID(l.ID)).Exec(ctx); err != nil {
			return nil, fmt.Errorf("remove stages of lifecycle %s: %w", l.Name, err)
		}
		if err := writeSteps(ctx, tx, l, stages); err != nil {
			return nil, err
		}
		changes = append(changes, activity.Changed("stages", order(before), order(stages)))
	}
	if l.EnforceOrder != enforce {
		changes = append(changes, activity.Changed("enforceOrder", fmt.Sprint(l.EnforceOrder), fmt.Sprint(enforce)))
	}
	l, err = l.Update().SetEnforceOrder(enforce).AddRevision(1).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("change lifecycle: %w", err)
	}
	return l, s.log.Append(ctx, tx, activity.Event{
		Type: activity.LifecycleSet, Project: p, Subject: l.Name, Changes: changes,
		Summary: fmt.Sprintf("Lifecycle %s of project %s was changed.", l.Name, p.Key),
	})
}

// checkDropped refuses to drop stages in which versions are that follow the lifecycle.
func checkDropped(ctx context.Context, tx *db.Client, l *db.Lifecycle, before, after []*db.Stage) error {
	kept := map[int]bool{}
	for _, st := range after {
		kept[st.ID] = true
	}
	var occupied []string
	for _, st := range before {
		if kept[st.ID] {
			continue
		}
		there, err := tx.ApplicationVersion.Query().Where(
			applicationversion.StageID(st.ID),
			applicationversion.HasApplicationWith(application.LifecycleID(l.ID)),
		).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for versions in stage %s: %w", st.Name, err)
		}
		if there {
			occupied = append(occupied, st.Name)
		}
	}
	if len(occupied) == 0 {
		return nil
	}
	return (&fault.Error{
		Kind: fault.FailedPrecondition, Path: "input.stages",
		Message: fmt.Sprintf("versions that follow lifecycle %s are in %s now; keep these stages, or move or roll back the versions first", l.Name, strings.Join(occupied, ", ")),
	}).With("stages", occupied)
}

func writeSteps(ctx context.Context, tx *db.Client, l *db.Lifecycle, stages []*db.Stage) error {
	steps := make([]*db.LifecycleStepCreate, len(stages))
	for i, st := range stages {
		steps[i] = tx.LifecycleStep.Create().SetLifecycleID(l.ID).SetStageID(st.ID).SetPosition(i)
	}
	if err := tx.LifecycleStep.CreateBulk(steps...).Exec(ctx); err != nil {
		return fmt.Errorf("write stages of lifecycle %s: %w", l.Name, err)
	}
	return nil
}

// order is a lifecycle as an event says it.
func order(stages []*db.Stage) string {
	names := make([]string, len(stages))
	for i, st := range stages {
		names[i] = st.Name
	}
	return strings.Join(names, " → ")
}
