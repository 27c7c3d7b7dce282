package version

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Update changes the tag and the properties of a version, and the name of a draft.
func (s *Service) Update(ctx context.Context, in UpdateApplicationVersionInput) (*db.ApplicationVersion, error) {
	set, err := in.check()
	if err != nil {
		return nil, err
	}
	var v *db.ApplicationVersion
	err = s.store.InTx(ctx, func(tx *db.Client) (err error) {
		if v, err = forWriting(ctx, tx, "updateApplicationVersion", in.ApplicationKey, in.Version); err != nil {
			return err
		}
		return s.update(ctx, tx, v, in, set)
	})
	if store.IsUnique(err) {
		renamed := *v
		renamed.Version = *in.NewVersion
		return nil, taken("input.newVersion", &renamed)
	}
	if err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Get(ctx, v.ID)
}

func (in UpdateApplicationVersionInput) check() (map[string]string, error) {
	if in.NewVersion != nil {
		if err := check.Text("input.newVersion", *in.NewVersion, 1, check.MaxVersion); err != nil {
			return nil, err
		}
	}
	if in.Tag != nil {
		if err := check.Text("input.tag", *in.Tag, 0, check.MaxTag); err != nil {
			return nil, err
		}
	}
	return in.Properties.check()
}

// update writes what differs, if anything does.
func (s *Service) update(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, in UpdateApplicationVersionInput, set map[string]string) error {
	update, name := v.Update(), nameOf(v)
	var changes []activity.Change
	if in.NewVersion != nil && *in.NewVersion != v.Version {
		if err := changeable(v, "input.newVersion"); err != nil {
			return err
		}
		manifest, digest, err := renamed(v, *in.NewVersion)
		if err != nil {
			return err
		}
		update.SetVersion(*in.NewVersion).SetManifest(manifest).SetManifestDigest(digest).AddMoves(1)
		name = v.Edges.Application.Key + "@" + *in.NewVersion
		changes = append(changes, activity.Changed("version", v.Version, *in.NewVersion), activity.Changed("manifestDigest", v.ManifestDigest, digest))
	}
	if in.Tag != nil && *in.Tag != v.Tag {
		update.SetTag(*in.Tag)
		changes = append(changes, activity.Changed("tag", v.Tag, *in.Tag))
	}
	text, more, err := in.Properties.apply(v, set)
	if err != nil {
		return err
	}
	if changes = append(changes, more...); len(changes) == 0 {
		return nil
	}
	if err := update.SetProperties(text).Exec(ctx); err != nil {
		return fmt.Errorf("change version %d: %w", v.ID, err)
	}
	return s.log.Append(ctx, tx, updated(v, name, changes))
}

// renamed is the manifest of a draft under another name.
func renamed(v *db.ApplicationVersion, to string) (manifest, digest string, err error) {
	var m Manifest
	if err := json.Unmarshal([]byte(v.Manifest), &m); err != nil {
		return "", "", fmt.Errorf("read manifest of version %d: %w", v.ID, err)
	}
	other := *v
	other.Version = to
	return manifestOf(&other, m.Contents)
}
