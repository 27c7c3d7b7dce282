package blast

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
)

const (
	maxProjects = 100
	maxStages   = 20
)

func (in BlastRadiusScope) check() error {
	return check.First(
		check.List("in.projectKeys", len(in.ProjectKeys), maxProjects),
		check.List("in.stages", len(in.Stages), maxStages),
		check.List("in.upgraded", len(in.Upgraded), maxUpgraded),
	)
}

// where is a scope in rows, and the reach of whoever asks with it: statements that are text are not narrowed by the store.
type where struct {
	// projects are those that versions may be of; nil is all.
	projects []int
	// stages are those that versions may be in; nil is all, and none.
	stages []int
	live   bool
	asOf   *time.Time
}

// narrowed looks projects and stages up. What whoever asks does not see is not there: nothing lies in it.
func (s *Service) narrowed(ctx context.Context, in BlastRadiusScope, reach auth.Reach) (w where, nothing bool, err error) {
	w = where{live: in.LiveOnly, asOf: in.AsOf}
	if !reach.All {
		w.projects = reach.Projects
	}
	if len(in.ProjectKeys) > 0 {
		if w.projects, err = s.store.Read().Project.Query().Where(project.KeyIn(in.ProjectKeys...)).IDs(ctx); err != nil {
			return w, false, fmt.Errorf("load projects: %w", err)
		}
		nothing = len(w.projects) == 0
	}
	if len(in.Stages) > 0 {
		if w.stages, err = s.store.Read().Stage.Query().Where(stage.NameIn(in.Stages...)).IDs(ctx); err != nil {
			return w, false, fmt.Errorf("load stages: %w", err)
		}
		nothing = nothing || len(w.stages) == 0
	}
	slices.Sort(w.projects)
	return w, nothing, nil
}

// versions writes the conditions on a version v.
func (w where) versions(q *query) *query {
	if w.asOf == nil {
		q.add("v.archived_at IS NULL")
	} else {
		q.add("v.created_at <= % AND (v.archived_at IS NULL OR v.archived_at > %)", *w.asOf, *w.asOf)
	}
	if w.projects != nil {
		q.add(" AND v.project_id %", w.projects)
	}
	if w.stages != nil {
		w.stage(q.add(" AND ")).add(" %", w.stages)
	}
	if w.live {
		w.stage(q.add(" AND (")).add(" IS NOT NULL OR EXISTS (SELECT 1 FROM deployments d WHERE d.version_id = v.id AND ")
		w.running(q).add("))")
	}
	return q
}

// stage writes which stage a version v is in. Where it was is told by what moved it last until then.
func (w where) stage(q *query) *query {
	if w.asOf == nil {
		return q.add("v.stage_id")
	}
	return q.add("(SELECT p.to_stage_id FROM promotions p WHERE p.version_id = v.id AND p.status = 'COMPLETED' AND p.at <= %"+
		" ORDER BY p.at DESC, p.id DESC LIMIT 1)", *w.asOf)
}

// running writes that a deployment d is what runs in its place: the latest success there.
func (w where) running(q *query) *query {
	if w.asOf == nil {
		return q.add("d.live")
	}
	const finished, later = "COALESCE(d.finished_at, d.created_at)", "COALESCE(n.finished_at, n.created_at)"
	return q.add("d.status = 'SUCCEEDED' AND "+finished+" <= % AND NOT EXISTS (SELECT 1 FROM deployments n"+
		" WHERE n.application_id = d.application_id AND n.environment = d.environment AND n.cluster = d.cluster"+
		" AND n.status = 'SUCCEEDED' AND "+later+" <= % AND ("+later+" > "+finished+" OR "+later+" = "+finished+" AND n.id > d.id))",
		*w.asOf, *w.asOf)
}

// counting writes that a piece of evidence e was there and not withdrawn: what was wrong does not say what is in a version.
func (w where) counting(q *query) {
	w.evidence(q)
	q.add(" AND NOT EXISTS (SELECT 1 FROM evidence_withdrawals gone WHERE gone.evidence_id = e.id")
	if w.asOf != nil {
		q.add(" AND gone.at <= %", *w.asOf)
	}
	q.add(")")
}

// evidence writes that a piece of evidence e was there.
func (w where) evidence(q *query) {
	if w.asOf != nil {
		q.add(" AND e.created_at <= %", *w.asOf)
	}
}
