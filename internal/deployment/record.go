package deployment

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Record records a rollout, or how one that was recorded ended. A rollout that is reported again with the same beginning is
// the one that is there; without a beginning every report is a rollout of its own. What was never released is recorded
// too, and says so.
func (s *Service) Record(ctx context.Context, in RecordDeploymentInput) (*db.Deployment, error) {
	now := s.now()
	in.StartedAt, in.FinishedAt = stored(in.StartedAt), stored(in.FinishedAt)
	if err := in.check(now); err != nil {
		return nil, err
	}
	id := 0
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		v, err := versionOf(ctx, tx, in)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "recordDeployment", v.ProjectID)
		if err != nil {
			return err
		}
		if _, err := tx.Application.Query().Where(application.ID(v.ApplicationID), turn).Only(ctx); err != nil {
			return fmt.Errorf("take turns on application %s: %w", in.ApplicationKey, err)
		}
		known, err := s.known(ctx, tx, v, in)
		if err != nil {
			return err
		}
		if known != nil {
			id = known.ID
			return s.end(ctx, tx, v, known, in, now)
		}
		made, err := create(tx, v, in, actor.ID, now).Save(ctx)
		if err != nil {
			return fmt.Errorf("write deployment: %w", err)
		}
		id = made.ID
		return s.settle(ctx, tx, v, made, "")
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Deployment.Get(ctx, id)
}

// turn lets rollouts of one application wait for each other, so that one of them is live in the end, and the same report
// twice at once is one rollout. It keeps nobody from referring to the application. SQLite needs no lock: there, one
// transaction writes at a time.
func turn(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}

func versionOf(ctx context.Context, tx *db.Client, in RecordDeploymentInput) (*db.ApplicationVersion, error) {
	v, err := tx.ApplicationVersion.Query().
		Where(applicationversion.Version(in.Version), applicationversion.HasApplicationWith(application.Key(in.ApplicationKey))).
		WithApplication().WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "there is no version %q of an application %q", in.Version, in.ApplicationKey).With("path", "input.version")
	}
	if err != nil {
		return nil, fmt.Errorf("load version %s@%s: %w", in.ApplicationKey, in.Version, err)
	}
	if v.Status == applicationversion.StatusDRAFT {
		return nil, fault.New(fault.FailedPrecondition, "version %s of %s is a draft, whose contents may still change: lock it with lockApplicationVersion", in.Version, in.ApplicationKey).
			With("path", "input.version")
	}
	return v, nil
}

func create(tx *db.Client, v *db.ApplicationVersion, in RecordDeploymentInput, actor int, now time.Time) *db.DeploymentCreate {
	return tx.Deployment.Create().
		SetEnvironment(in.Environment).SetCluster(in.cluster()).SetKind(deployment.Kind(in.Kind)).SetStatus(deployment.Status(in.Status)).
		SetNillableStartedAt(in.StartedAt).SetNillableFinishedAt(in.finished(in.StartedAt, now)).SetDecision(decisionOf(v)).
		SetVersionID(v.ID).SetApplicationID(v.ApplicationID).SetProjectID(v.ProjectID).SetCreatedBy(actor).SetCreatedAt(now)
}

// decisionOf is what a version is worth now.
func decisionOf(v *db.ApplicationVersion) deployment.Decision {
	switch {
	case v.Trust == applicationversion.TrustTRUSTED_RELEASE && v.Standing != nil && *v.Standing == applicationversion.StandingGOOD:
		return deployment.DecisionTRUSTED
	case v.Trust == applicationversion.TrustPRE_RELEASE:
		return deployment.DecisionNOT_RELEASED
	default:
		return deployment.DecisionRELEASED
	}
}

// end notes how a rollout ended. The same again changes nothing, nor does the report of the beginning when it comes again
// after the end; an end that was recorded stays.
func (s *Service) end(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, d *db.Deployment, in RecordDeploymentInput, now time.Time) error {
	if string(d.Status) == in.Status || in.ID == nil && deployment.Status(in.Status) == deployment.StatusIN_PROGRESS {
		return nil
	}
	if d.Status != deployment.StatusIN_PROGRESS {
		return fault.New(fault.Conflict, "this rollout ended as %s: record another one", d.Status).With("path", "input.status")
	}
	if err := in.endsAfter(d.StartedAt); err != nil {
		return err
	}
	before := string(d.Status)
	d, err := d.Update().SetStatus(deployment.Status(in.Status)).SetNillableFinishedAt(in.finished(d.StartedAt, now)).Save(ctx)
	if err != nil {
		return fmt.Errorf("write end of deployment: %w", err)
	}
	return s.settle(ctx, tx, v, d, before)
}

// settle finds out what is live now, and writes the event.
func (s *Service) settle(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, d *db.Deployment, before string) error {
	if d.Status == deployment.StatusSUCCEEDED {
		if err := goLive(ctx, tx, d); err != nil {
			return err
		}
	}
	app := v.Edges.Application.Key
	where, worth := d.Environment, ""
	if d.Cluster != "" {
		where += "/" + d.Cluster
	}
	if d.Decision == deployment.DecisionNOT_RELEASED {
		worth = ", which was never released or is so no longer"
	}
	changes := []activity.Change{activity.Added("status", activity.Text(string(d.Status)))}
	if before != "" {
		changes = []activity.Change{activity.Changed("status", before, string(d.Status))}
	}
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.DeploymentRecorded, Project: v.Edges.Project, Application: app, Subject: app + "@" + v.Version,
		Summary: fmt.Sprintf("%s of version %s of %s%s to %s: %s", d.Kind, v.Version, app, worth, where, d.Status),
		Changes: append(changes, activity.Added("environment", activity.Text(where)), activity.Added("decision", activity.Text(string(d.Decision)))),
	})
}

// goLive makes the latest rollout that succeeded, and no other, the one that runs in the place of d.
func goLive(ctx context.Context, tx *db.Client, d *db.Deployment) error {
	place := []predicateOf{deployment.ApplicationID(d.ApplicationID), deployment.Environment(d.Environment), deployment.Cluster(d.Cluster)}
	latest, err := tx.Deployment.Query().Where(place...).Where(deployment.StatusEQ(deployment.StatusSUCCEEDED)).
		Order(db.Desc(deployment.FieldFinishedAt), db.Desc(deployment.FieldID)).First(auth.System(ctx))
	if err != nil {
		return fmt.Errorf("find what runs: %w", err)
	}
	if err := tx.Deployment.Update().Where(place...).Where(deployment.Live(true), deployment.IDNEQ(latest.ID)).SetLive(false).Exec(ctx); err != nil {
		return fmt.Errorf("note what runs no longer: %w", err)
	}
	if err := tx.Deployment.UpdateOneID(latest.ID).SetLive(true).Exec(ctx); err != nil {
		return fmt.Errorf("note what runs: %w", err)
	}
	return nil
}
