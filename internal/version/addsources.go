package version

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// AddSources adds to a draft what it does not contain yet. Of changes at once, each finds what the one before it left.
func (s *Service) AddSources(ctx context.Context, in AddVersionSourcesInput) (*db.ApplicationVersion, error) {
	direct, err := in.Sources.check()
	if err != nil {
		return nil, err
	}
	f, err := in.Filters.compile()
	if err != nil {
		return nil, err
	}
	app, err := s.applicationOf(ctx, "addVersionSources", in.ApplicationKey, in.Version)
	if err != nil {
		return nil, err
	}
	more, err := s.gather(ctx, app, in.Version, direct, in.Sources, f)
	if err != nil {
		return nil, err
	}
	var id int
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		v, err := forWriting(ctx, tx, "addVersionSources", in.ApplicationKey, in.Version)
		if err != nil {
			return err
		}
		id = v.ID
		if err := changeable(v, "input.version"); err != nil {
			return err
		}
		return s.extend(ctx, tx, v, more)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Get(ctx, id)
}

// applicationOf finds the application of a draft that is to change, before its sources are looked up.
func (s *Service) applicationOf(ctx context.Context, mutation, key, version string) (*db.Application, error) {
	v, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.Version(version), applicationversion.HasApplicationWith(application.Key(key))).WithApplication().Only(ctx)
	if db.IsNotFound(err) {
		return nil, noVersion(key, version)
	}
	if err != nil {
		return nil, fmt.Errorf("load version %s of %s: %w", version, key, err)
	}
	if _, err := auth.Allow(ctx, mutation, v.ProjectID); err != nil {
		return nil, err
	}
	return v.Edges.Application, changeable(v, "input.version")
}

// extend writes a draft's contents anew with more in them, so that they stand in the manifest's order.
func (s *Service) extend(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, more *gathered) error {
	there, err := s.contentsOf(ctx, tx, v.ID)
	if err != nil {
		return err
	}
	all := newGathered(filter{})
	for _, r := range there {
		all.add(partOf(r), originOf(r))
	}
	for p, from := range more.origins {
		all.add(p, from)
	}
	if len(all.origins) == len(there) {
		return nil
	}
	if err := all.check(); err != nil {
		return err
	}
	inherited, err := contextOf(ctx, tx, v.ApplicationID)
	if err != nil {
		return err
	}
	manifest, digest, err := manifestOf(v, all.parts())
	if err != nil {
		return err
	}
	// What asks the gates meanwhile finds that the draft moved on.
	err = v.Update().SetManifest(manifest).SetManifestDigest(digest).SetContext(inherited).SetReleasableCount(len(all.origins)).AddMoves(1).Exec(ctx)
	if err != nil {
		return fmt.Errorf("change draft %d: %w", v.ID, err)
	}
	if err := clearContents(ctx, tx, v.ID); err != nil {
		return err
	}
	if err := s.writeContents(ctx, tx, v.ID, all); err != nil {
		return err
	}
	return s.log.Append(ctx, tx, updated(v, nameOf(v), []activity.Change{
		activity.Changed("parts", fmt.Sprint(len(there)), fmt.Sprint(len(all.origins))),
		activity.Changed("manifestDigest", v.ManifestDigest, digest),
	}))
}

// changeable refuses to change what a version is once it is locked, or put away.
func changeable(v *db.ApplicationVersion, path string) error {
	if v.Status != applicationversion.StatusDRAFT {
		return fault.New(fault.FailedPrecondition, "version %s of %s is locked: its name and contents never change; report another version", v.Version, v.Edges.Application.Key).
			With("path", path)
	}
	return notArchived(v)
}

func updated(v *db.ApplicationVersion, name string, changes []activity.Change) activity.Event {
	return activity.Event{
		Type: activity.VersionUpdated, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: name,
		Summary: fmt.Sprintf("version %s of %s was changed", v.Version, v.Edges.Application.Key), Changes: changes,
	}
}
