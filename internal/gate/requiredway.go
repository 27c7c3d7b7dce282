package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/policy"
)

// way is how a version, or any version, gets to a stage.
type way struct {
	application *db.Application
	// version is nil for any version.
	version *db.ApplicationVersion
	// stages are those of the lifecycle, in order.
	stages   []*db.Stage
	enforced bool
	legs     []leg
}

// leg is one move: from is nil for a version that is in no stage yet.
type leg struct {
	from, to *db.Stage
	guards   []guard
}

// guard is a gate that a move asks, and what guards it.
type guard struct {
	leg      int
	gate     Gate
	stage    *db.Stage
	policies []policy.Applicable
}

// findWay finds the moves that are left until a stage; nil when the application or the version does not exist for whoever asks.
// No moves are left for a version that is there, or, where the order is enforced, beyond.
func (s *Service) findWay(ctx context.Context, key string, version *string, toStage string) (*way, error) {
	app, err := s.store.Read().Application.Query().Where(application.Key(key)).WithLifecycle().WithLabels().Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load application %s: %w", key, err)
	}
	w := &way{application: app}
	if version != nil {
		w.version, err = s.store.Read().ApplicationVersion.Query().
			Where(applicationversion.ApplicationID(app.ID), applicationversion.Version(*version)).WithCurrentStage().Only(ctx)
		if db.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("load version %s of %s: %w", *version, key, err)
		}
	}
	if _, err := app.Edges.LifecycleOrErr(); err != nil {
		return nil, fault.New(fault.FailedPrecondition, "application %q follows no lifecycle: make one for its project with setLifecycle", key)
	}
	w.enforced = app.Edges.Lifecycle.EnforceOrder
	if w.stages, err = catalog.Stages(ctx, s.store.Read(), app.Edges.Lifecycle.ID); err != nil {
		return nil, err
	}
	return w, w.walk(toStage)
}

// walk lays out the moves to a stage.
func (w *way) walk(toStage string) error {
	to := w.index(toStage)
	if to < 0 {
		names := make([]string, len(w.stages))
		for i, st := range w.stages {
			names[i] = st.Name
		}
		return fault.At("toStage", "%q is not a stage of the lifecycle: %s", toStage, strings.Join(names, " → "))
	}
	var from *db.Stage
	at := -1
	if w.version != nil && w.version.Edges.CurrentStage != nil {
		from = w.version.Edges.CurrentStage
		if at = slices.IndexFunc(w.stages, func(st *db.Stage) bool { return st.ID == from.ID }); at < 0 {
			return fault.New(fault.FailedPrecondition, "version %s of %s is in %s, which is not in its lifecycle", w.version.Version, w.application.Key, from.Name)
		}
	}
	if !w.enforced {
		if at != to {
			w.add(from, w.stages[to])
		}
		return nil
	}
	for i := at + 1; i <= to; i++ {
		w.add(from, w.stages[i])
		from = w.stages[i]
	}
	return nil
}

func (w *way) index(name string) int {
	return slices.IndexFunc(w.stages, func(st *db.Stage) bool { return st.Name == name })
}

// add lays out one move with the gates that it asks (MODEL rule 11).
func (w *way) add(from, to *db.Stage) {
	n := len(w.legs)
	l := leg{from: from, to: to}
	if from != nil {
		l.guards = append(l.guards, guard{leg: n, gate: Gate{from.Name, gatepolicy.GateKindEXIT}, stage: from})
	}
	kind := gatepolicy.GateKindENTRY
	if to.Category == stage.CategoryRELEASE {
		kind = gatepolicy.GateKindRELEASE
	}
	l.guards = append(l.guards, guard{leg: n, gate: Gate{to.Name, kind}, stage: to})
	w.legs = append(w.legs, l)
}

// guardWay finds what guards the gates of a way. Ctx is the system's. A freeze guards every gate, as long as it holds.
func (s *Service) guardWay(ctx context.Context, w *way, sub *subject, at time.Time) error {
	app := w.application
	list := make([]labels.Label, len(app.Edges.Labels))
	for i, l := range app.Edges.Labels {
		list[i] = labels.Label{Key: l.Key, Value: l.Value}
	}
	if sub.version == nil {
		var err error
		if sub.freezes, err = s.freezes.Covering(ctx, s.store.Read(), app, list, at); err != nil {
			return err
		}
	}
	frozen, err := s.frozen(ctx, sub, at)
	if err != nil {
		return err
	}
	of := policy.Subject{ProjectID: app.ProjectID, ApplicationID: app.ID, Criticality: string(app.Criticality), Labels: list}
	for i := range w.legs {
		for n := range w.legs[i].guards {
			g := &w.legs[i].guards[n]
			applying, err := s.policies.Applying(ctx, s.store.Read(), of, g.gate.Stage, g.gate.Kind)
			if err != nil {
				return err
			}
			g.policies = append(slices.Clone(frozen), applying...)
		}
	}
	return nil
}
