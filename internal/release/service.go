package release

import (
	"context"
	"fmt"
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service promotes, releases and rolls back.
type Service struct {
	store    *store.Store
	log      *activity.Log
	gates    *gate.Service
	signing  *signing.Service
	now      func() time.Time
	verifier attest.Verifier
}

// New returns the release service. Verifier is how this installation names itself in SLSA Verification Summaries; now is
// the clock.
func New(s *store.Store, log *activity.Log, gates *gate.Service, signing *signing.Service, verifier attest.Verifier, now func() time.Time) *Service {
	return &Service{store: s, log: log, gates: gates, signing: signing, verifier: verifier, now: now}
}

// Result is what became of an attempt to move a version.
type Result struct {
	// Promotion is nil for a dry run.
	Promotion   *db.Promotion
	Version     *db.ApplicationVersion
	Evaluations []*gate.Evaluation
}

// find returns a version with its application, project, stage and lifecycle, if whoever acts may send the mutation for
// it. A version that does not exist for them is NOT_FOUND.
func (s *Service) find(ctx context.Context, mutation, app, version string) (*db.ApplicationVersion, auth.Principal, error) {
	v, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.Version(version), applicationversion.HasApplicationWith(application.Key(app))).
		WithProject().WithCurrentStage().
		WithApplication(func(q *db.ApplicationQuery) { q.WithLifecycle() }).Only(ctx)
	if db.IsNotFound(err) {
		return nil, auth.Principal{}, fault.New(fault.NotFound, "there is no version %q of an application %q", version, app)
	}
	if err != nil {
		return nil, auth.Principal{}, fmt.Errorf("load version %s of %s: %w", version, app, err)
	}
	actor, err := auth.Allow(ctx, mutation, v.ProjectID)
	if err != nil {
		return nil, auth.Principal{}, err
	}
	if _, err := v.Edges.Application.Edges.LifecycleOrErr(); err != nil {
		return nil, auth.Principal{}, fault.New(fault.FailedPrecondition,
			"application %q follows no lifecycle: make one for its project with setLifecycle", app)
	}
	return v, actor, nil
}

// stages returns the stages of the lifecycle that a version follows, in order.
func (s *Service) stages(ctx context.Context, v *db.ApplicationVersion) ([]*db.Stage, error) {
	return catalog.Stages(ctx, s.store.Read(), v.Edges.Application.Edges.Lifecycle.ID)
}

// notArchived refuses to move a version that was put away. It may still be taken back.
func notArchived(v *db.ApplicationVersion) error {
	if v.ArchivedAt == nil {
		return nil
	}
	return fault.New(fault.FailedPrecondition, "version %s of %s is archived: bring it back first", v.Version, v.Edges.Application.Key).
		With("path", "input.version")
}

// moved is the conflict that the loser of two moves at once gets.
func moved(app, version string, stage *db.Stage) error {
	if stage == nil {
		return fault.New(fault.Conflict, "version %s of %s is in no stage now: it moved meanwhile", version, app).With("currentStage", nil)
	}
	return fault.New(fault.Conflict, "version %s of %s is in %s now", version, app, stage.Name).With("currentStage", stage.Name)
}

// claim makes the move's writer the only one: it succeeds exactly when nothing moved the version since it was read.
// Whoever loses is told where the version is now.
func (s *Service) claim(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, set func(*db.ApplicationVersionUpdate)) error {
	update := tx.ApplicationVersion.Update().Where(applicationversion.ID(v.ID), applicationversion.Moves(v.Moves)).AddMoves(1)
	set(update)
	n, err := update.Save(ctx)
	if err != nil {
		return fmt.Errorf("move version: %w", err)
	}
	if n == 1 {
		return nil
	}
	return s.unmoved(ctx, tx, v)
}

// unmoved fails when something moved the version since it was read. It holds nothing back but the deletion of a draft: it
// is for attempts that do not move the version themselves. A draft that changed, or is no more, is looked at again.
func (s *Service) unmoved(ctx context.Context, tx *db.Client, v *db.ApplicationVersion) error {
	draft := v.Status == applicationversion.StatusDRAFT
	q := tx.ApplicationVersion.Query().Where(applicationversion.ID(v.ID)).WithCurrentStage()
	if draft && s.store.Dialect() == dialect.Postgres {
		q.Where(func(sel *sql.Selector) { sel.ForShare() })
	}
	now, err := q.Only(ctx)
	if draft && db.IsNotFound(err) {
		return errStale
	}
	if err != nil {
		return fmt.Errorf("load version %d: %w", v.ID, err)
	}
	if now.Moves == v.Moves {
		if v.ArchivedAt == nil {
			now.Edges.Application = v.Edges.Application
			return notArchived(now)
		}
		return nil
	}
	if draft && now.StageID == nil {
		return errStale
	}
	return moved(v.Edges.Application.Key, v.Version, now.Edges.CurrentStage)
}

// OfVersion returns a page of the attempts to move a version, oldest first.
func (s *Service) OfVersion(ctx context.Context, versionID int, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.PromotionConnection, error) {
	return s.store.Read().Promotion.Query().Where(promotion.VersionID(versionID)).
		WithPrincipal().WithEvaluations().WithFromStage().WithToStage().
		Paginate(ctx, after, first, before, last)
}

// reload reads an attempt and its version again: rows made in a transaction cannot be asked for more once it has ended.
func (s *Service) reload(ctx context.Context, p *db.Promotion) (*Result, error) {
	p, err := s.store.Read().Promotion.Query().Where(promotion.ID(p.ID)).
		WithVersion(func(q *db.ApplicationVersionQuery) { q.WithCurrentStage() }).WithFromStage().WithToStage().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what was recorded: %w", err)
	}
	return &Result{Promotion: p, Version: p.Edges.Version}, nil
}
