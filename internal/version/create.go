package version

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service reports, changes and reads application versions.
type Service struct {
	store   *store.Store
	catalog *catalog.Service
	log     *activity.Log
	signing *signing.Service
	now     func() time.Time
}

// New returns the version service; now is the clock.
func New(s *store.Store, catalog *catalog.Service, log *activity.Log, signing *signing.Service, now func() time.Time) *Service {
	return &Service{store: s, catalog: catalog, log: log, signing: signing, now: now}
}

// Create reports a version and, unless it is to be a draft, locks it: version, contents, signed manifest and event are
// there together or not at all. A version string that is taken is a CONFLICT, even when the contents are the same: a
// version is reported once.
//
// A dry run checks the same and keeps nothing: what it returns is in no table, and carries manifest and digest alone.
func (s *Service) Create(ctx context.Context, in CreateApplicationVersionInput) (*db.ApplicationVersion, error) {
	d, err := in.check()
	if err != nil {
		return nil, err
	}
	app, actor, err := s.applicationFor(ctx, in.ApplicationKey)
	if err != nil {
		return nil, err
	}
	contents, err := s.gather(ctx, app, in.Version, d.direct, in.Sources, d.filter)
	if err != nil {
		return nil, err
	}
	v := &db.ApplicationVersion{
		ApplicationID: app.ID, ProjectID: app.ProjectID, Version: in.Version, Tag: d.tag, Properties: d.properties,
		CreatedBy: actor.ID, CreatedAt: s.now().UTC(), ReleasableCount: len(contents.origins), Status: applicationversion.StatusDRAFT,
	}
	v.Edges.Application, v.Edges.Project = app, app.Edges.Project
	if v.Manifest, v.ManifestDigest, err = manifestOf(v, contents.parts()); err != nil {
		return nil, err
	}
	if in.DryRun {
		return v, s.free(ctx, v)
	}
	lock, err := s.lockUnless(ctx, in.Draft, v, contents)
	if err != nil {
		return nil, err
	}
	var id int
	err = s.store.InTx(ctx, func(tx *db.Client) (err error) {
		id, err = s.record(ctx, tx, v, contents, lock)
		return err
	})
	if store.IsUnique(err) {
		return nil, taken("input.version", v)
	}
	if err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Get(ctx, id)
}

// applicationFor finds the application of a version to be.
func (s *Service) applicationFor(ctx context.Context, key string) (*db.Application, auth.Principal, error) {
	app, err := s.store.Read().Application.Query().Where(application.Key(key)).WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, auth.Principal{}, fault.New(fault.NotFound, "there is no application %q", key)
	}
	if err != nil {
		return nil, auth.Principal{}, fmt.Errorf("load application %s: %w", key, err)
	}
	actor, err := auth.Allow(ctx, "createApplicationVersion", app.ProjectID)
	if err != nil {
		return nil, auth.Principal{}, err
	}
	if app.ArchivedAt != nil {
		return nil, auth.Principal{}, fault.New(fault.FailedPrecondition, "application %q is archived and takes no new versions: bring it back first", app.Key).
			With("path", "input.applicationKey")
	}
	return app, actor, nil
}

// free fails when the application has a version of this name.
func (s *Service) free(ctx context.Context, v *db.ApplicationVersion) error {
	there, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.ApplicationID(v.ApplicationID), applicationversion.Version(v.Version)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for version %s: %w", v.Version, err)
	}
	if there {
		return taken("input.version", v)
	}
	return nil
}

func taken(path string, v *db.ApplicationVersion) error {
	return fault.New(fault.Conflict, "application %q has a version %q already; a version is reported once", v.Edges.Application.Key, v.Version).
		With("path", path)
}

// lockUnless signs for a version that is not to be a draft; nil for a draft.
func (s *Service) lockUnless(ctx context.Context, draft bool, v *db.ApplicationVersion, g *gathered) (*Lock, error) {
	if draft {
		return nil, nil
	}
	parts := g.parts()
	contents := make([]*db.Releasable, len(parts))
	for i, p := range parts {
		contents[i] = &db.Releasable{Name: p.Name, Digest: optional(p.Digest)}
	}
	return SignLock(ctx, s.signing, v, contents, v.CreatedAt)
}

// record writes the version, its contents, what was signed, and the event.
func (s *Service) record(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, g *gathered, lock *Lock) (int, error) {
	inherited, err := contextOf(ctx, tx, v.ApplicationID)
	if err != nil {
		return 0, err
	}
	create := tx.ApplicationVersion.Create().SetVersion(v.Version).SetTag(v.Tag).SetProperties(v.Properties).
		SetManifest(v.Manifest).SetManifestDigest(v.ManifestDigest).SetContext(inherited).SetReleasableCount(v.ReleasableCount).
		SetProjectID(v.ProjectID).SetApplicationID(v.ApplicationID).SetCreatedBy(v.CreatedBy).SetCreatedAt(v.CreatedAt).
		SetStatus(applicationversion.StatusDRAFT)
	if lock != nil {
		create.SetStatus(applicationversion.StatusLOCKED).SetLockedAt(lock.at)
	}
	row, err := create.Save(ctx)
	if err != nil {
		return 0, fmt.Errorf("write version: %w", err)
	}
	if err := s.writeContents(ctx, tx, row.ID, g); err != nil {
		return 0, err
	}
	e := activity.Event{
		Type: activity.VersionCreated, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: nameOf(v),
		Summary: fmt.Sprintf("version %s of %s was reported with %d parts as a draft", v.Version, v.Edges.Application.Key, v.ReleasableCount),
		Changes: []activity.Change{activity.Added("manifestDigest", activity.Text(v.ManifestDigest))},
	}
	if lock != nil {
		e.Summary = fmt.Sprintf("version %s of %s was reported with %d parts and locked", v.Version, v.Edges.Application.Key, v.ReleasableCount)
		e.Changes = append(e.Changes, signing.Changes([]signing.Signed{lock.signed})...)
		if err := s.signing.Record(ctx, tx, row, nil, lock.signed); err != nil {
			return 0, err
		}
	}
	return row.ID, s.log.Append(ctx, tx, e)
}

// manifestOf writes the manifest of a version and its digest.
func manifestOf(v *db.ApplicationVersion, parts []Part) (manifest, digest string, err error) {
	b, err := Manifest{Schema: ManifestSchema, Application: v.Edges.Application.Key, Version: v.Version, Contents: parts}.Bytes()
	if err != nil {
		return "", "", fmt.Errorf("write manifest: %w", err)
	}
	return string(b), canonical.Digest(b), nil
}
