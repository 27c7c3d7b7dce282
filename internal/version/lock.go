package version

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
)

// Lock is a version about to be locked: its manifest is signed already. Whoever locks it does three things in one
// transaction: make sure that the version is the one that was signed (its moves are the same), Set, and Record.
type Lock struct {
	version *db.ApplicationVersion
	at      time.Time
	signed  signing.Signed
}

// SignLock signs the manifest of a version, which must come with its application and project. Contents are all it has.
func SignLock(ctx context.Context, signs *signing.Service, v *db.ApplicationVersion, contents []*db.Releasable, at time.Time) (*Lock, error) {
	app := v.Edges.Application.Key
	subjects, err := signing.VersionSubjects(app, v.Version, v.ManifestDigest, contents)
	if err != nil {
		return nil, err
	}
	signed, err := signs.Sign(ctx, subjects, attest.PredicateManifest, map[string]any{
		"application": app, "version": v.Version, "manifestDigest": v.ManifestDigest, "lockedAt": at.Format(time.RFC3339Nano),
	})
	return &Lock{v, at, signed}, err
}

// Inherit returns what is said of the application at this moment, for Set.
func (l *Lock) Inherit(ctx context.Context, tx *db.Client) (string, error) {
	return contextOf(ctx, tx, l.version.ApplicationID)
}

// Set makes the version locked, with what it inherits.
func (l *Lock) Set(u *db.ApplicationVersionUpdate, inherited string) {
	u.SetStatus(applicationversion.StatusLOCKED).SetLockedAt(l.at).SetContext(inherited)
}

// Record writes the signed manifest and the event.
func (l *Lock) Record(ctx context.Context, tx *db.Client, signs *signing.Service, log *activity.Log) error {
	if err := signs.Record(ctx, tx, l.version, nil, l.signed); err != nil {
		return err
	}
	v := l.version
	return log.Append(ctx, tx, activity.Event{
		Type: activity.VersionLocked, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: nameOf(v),
		Summary: fmt.Sprintf("version %s of %s was locked with %d parts", v.Version, v.Edges.Application.Key, v.ReleasableCount),
		Changes: append([]activity.Change{
			activity.Changed("status", string(applicationversion.StatusDRAFT), string(applicationversion.StatusLOCKED)),
			activity.Added("manifestDigest", activity.Text(v.ManifestDigest)),
		}, signing.Changes([]signing.Signed{l.signed})...),
	})
}

// errChanged says that a draft changed since it was signed for.
var errChanged = errors.New("the draft changed while it was signed for")

// maxTries is how often a draft is signed for before whoever locks it is told that it keeps changing.
const maxTries = 5

// Lock locks a draft: its contents never change again. A version that is locked already stays as it is.
func (s *Service) Lock(ctx context.Context, in LockApplicationVersionInput) (*db.ApplicationVersion, error) {
	for range maxTries {
		v, err := s.store.Read().ApplicationVersion.Query().
			Where(applicationversion.Version(in.Version), applicationversion.HasApplicationWith(application.Key(in.ApplicationKey))).
			WithApplication().WithProject().Only(ctx)
		if db.IsNotFound(err) {
			return nil, noVersion(in.ApplicationKey, in.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("load version %s of %s: %w", in.Version, in.ApplicationKey, err)
		}
		if _, err := auth.Allow(ctx, "lockApplicationVersion", v.ProjectID); err != nil {
			return nil, err
		}
		if v.Status == applicationversion.StatusLOCKED {
			return v, nil
		}
		if err := notArchived(v); err != nil {
			return nil, err
		}
		err = s.lock(ctx, v)
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.store.Read().ApplicationVersion.Get(ctx, v.ID)
	}
	return nil, fault.New(fault.Conflict, "the draft kept changing while it was signed for: try again")
}

func (s *Service) lock(ctx context.Context, v *db.ApplicationVersion) error {
	contents, err := s.contentsOf(ctx, s.store.Read(), v.ID)
	if err != nil {
		return err
	}
	lock, err := SignLock(ctx, s.signing, v, contents, s.now().UTC())
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *db.Client) error {
		inherited, err := lock.Inherit(ctx, tx)
		if err != nil {
			return err
		}
		update := tx.ApplicationVersion.Update().AddMoves(1).Where(
			applicationversion.ID(v.ID), applicationversion.Moves(v.Moves), applicationversion.StatusEQ(applicationversion.StatusDRAFT),
		)
		lock.Set(update, inherited)
		n, err := update.Save(ctx)
		if err != nil {
			return fmt.Errorf("lock version %d: %w", v.ID, err)
		}
		if n != 1 {
			return errChanged
		}
		return lock.Record(ctx, tx, s.signing, s.log)
	})
}

// notArchived refuses to change a draft that was put away.
func notArchived(v *db.ApplicationVersion) error {
	if v.ArchivedAt == nil {
		return nil
	}
	return fault.New(fault.FailedPrecondition, "version %s of %s is archived: bring it back first", v.Version, v.Edges.Application.Key).
		With("path", "input.version")
}
