package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const verb = "submitEvidence"

// reach is where somebody may push evidence: to the organisation, or to some projects.
type reach struct {
	pusher       auth.Principal
	organisation bool
	projects     []int // when not to the organisation
}

// reachOf finds where whoever acts may push.
func reachOf(ctx context.Context) (reach, error) {
	p, err := auth.Allow(ctx, verb, auth.Organisation)
	if err == nil {
		return reach{pusher: p, organisation: true}, nil
	}
	nowhere := err
	if p, err = auth.From(ctx); err != nil {
		return reach{}, err
	}
	r := reach{pusher: p}
	for _, g := range p.Grants {
		if _, err := auth.Allow(ctx, verb, g.Project); err == nil && !slices.Contains(r.projects, g.Project) {
			r.projects = append(r.projects, g.Project)
		}
	}
	if len(r.projects) == 0 {
		return reach{}, nowhere
	}
	return r, nil
}

// mayPush refuses a predicate type that the principal's token does not list.
func mayPush(p auth.Principal, predicateType string) error {
	if len(p.EvidenceTypes) == 0 || slices.Contains(p.EvidenceTypes, predicateType) {
		return nil
	}
	return fault.New(fault.Forbidden, "this token may not push evidence of type %q, only of: %s", predicateType, strings.Join(p.EvidenceTypes, ", "))
}

// home is where a piece of evidence goes.
type home struct {
	project *db.Project // nil for the organisation
}

// realm is what the evidence is unique in: the key of the project, or empty.
func (h home) realm() string {
	if h.project == nil {
		return ""
	}
	return h.project.Key
}

// home chooses where a claim goes: see the package comment for the rule.
func (s *Service) home(ctx context.Context, r reach, c claim) (home, error) {
	if r.organisation {
		return home{}, nil
	}
	id := r.projects[0]
	if len(r.projects) > 1 {
		var err error
		if id, err = s.projectOf(ctx, r, c); err != nil {
			return home{}, err
		}
	}
	p, err := s.store.Read().Project.Get(ctx, id)
	if err != nil {
		return home{}, fmt.Errorf("load project to push to: %w", err)
	}
	return home{project: p}, nil
}

// projectOf finds the one project of several that has a version or a build the claim speaks of.
func (s *Service) projectOf(ctx context.Context, r reach, c claim) (int, error) {
	var found []int
	for digests := range slices.Chunk(c.matchable(), digestsPerStatement) {
		ids, err := s.store.Read().ApplicationVersion.Query().
			Where(holding(digests), applicationversion.ProjectIDIn(r.projects...)).
			Unique(true).Limit(2).Select(applicationversion.FieldProjectID).Ints(ctx)
		if err != nil {
			return 0, fmt.Errorf("find project of evidence: %w", err)
		}
		found = append(found, ids...)
		ids, err = s.store.Read().Build.Query().Where(build.DigestIn(digests...), build.ProjectIDIn(r.projects...)).
			Unique(true).Limit(2).Select(build.FieldProjectID).Ints(ctx)
		if err != nil {
			return 0, fmt.Errorf("find project of evidence: %w", err)
		}
		found = append(found, ids...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 1 {
		return found[0], nil
	}
	keys, err := s.store.Read().Project.Query().Where(project.IDIn(r.projects...)).Order(project.ByKey()).Select(project.FieldKey).Strings(ctx)
	if err != nil {
		return 0, fmt.Errorf("load projects to push to: %w", err)
	}
	how := "several of them have"
	if len(found) == 0 {
		how = "none of them has"
	}
	return 0, fault.At(c.path, "you may push to the projects %s, and %s a version or a build that this evidence speaks of: push it with a token of the project it is for",
		strings.Join(keys, ", "), how)
}

// findStages notes the stages in which entries arrive. Most of what is pushed speaks of no version yet, which one query
// tells of all of them.
func (s *Service) findStages(ctx context.Context, members []*written) error {
	var digests []string
	for _, w := range members {
		digests = append(digests, w.matchable()...)
	}
	slices.Sort(digests)
	digests = slices.Compact(digests)
	held := false
	for some := range slices.Chunk(digests, digestsPerStatement) {
		found, err := s.store.Read().ApplicationVersion.Query().Where(holding(some), applicationversion.StageIDNotNil()).Exist(auth.System(ctx))
		if err != nil {
			return fmt.Errorf("find stages of evidence: %w", err)
		}
		held = held || found
	}
	if !held {
		return nil
	}
	for _, w := range members {
		var err error
		if w.stageID, err = s.stageOf(w.ctx, w.home, w.claim); err != nil {
			return err
		}
	}
	return nil
}

// stageOf gives the stage of the newest version, by the order in which they were reported, that is in a stage and that the
// claim speaks of; nil when there is none. Evidence of a project looks at that project's versions.
func (s *Service) stageOf(ctx context.Context, h home, c claim) (*int, error) {
	newest := &db.ApplicationVersion{}
	for digests := range slices.Chunk(c.matchable(), digestsPerStatement) {
		q := s.store.Read().ApplicationVersion.Query().Where(holding(digests), applicationversion.StageIDNotNil())
		if h.project != nil {
			q.Where(applicationversion.ProjectID(h.project.ID))
		}
		v, err := q.Order(db.Desc(applicationversion.FieldID)).First(ctx)
		if db.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find stage of evidence: %w", err)
		}
		if v.ID > newest.ID {
			newest = v
		}
	}
	return newest.StageID, nil
}

// digestsPerStatement is how many digests a query looks for at once: each is a variable twice, and SQLite takes 32,766.
const digestsPerStatement = 10_000

// holding matches versions that have one of the digests as their manifest's or among their contents. The two are united
// in a subquery, where each finds its index; Postgres reads the whole table for either of them in an OR.
func holding(digests []string) predicate.ApplicationVersion {
	return func(s *sql.Selector) {
		wanted := make([]any, len(digests))
		for i, d := range digests {
			wanted[i] = d
		}
		v, r := sql.Table(applicationversion.Table).As("held"), sql.Table(releasable.Table)
		itself := sql.Select(v.C(applicationversion.FieldID)).From(v).Where(sql.In(v.C(applicationversion.FieldManifestDigest), wanted...))
		contents := sql.Select(r.C(releasable.FieldVersionID)).From(r).Where(sql.In(r.C(releasable.FieldDigest), wanted...))
		s.Where(sql.In(s.C(applicationversion.FieldID), itself.UnionAll(contents)))
	}
}
