package graph

import (
	"context"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/version"
)

// owning returns the application that owns a part of a version now, as far as whoever asks may see it.
func (r *Resolver) owning(ctx context.Context, part *db.Releasable) (*db.Application, error) {
	return load(ctx).parts.Load(ctx, version.ClaimOf(part))
}

// versionOf returns the version that a part belongs to; a page of contents brings it along.
func versionOf(ctx context.Context, part *db.Releasable) (*db.ApplicationVersion, error) {
	v, err := part.Edges.VersionOrErr()
	if db.IsNotLoaded(err) {
		return part.QueryVersion().Only(ctx)
	}
	return v, err
}

// shownLabels gives recorded labels the shape of those in the tables.
func shownLabels(list []labels.Label) []*db.Label {
	out := make([]*db.Label, len(list))
	for i, l := range list {
		out[i] = &db.Label{Key: l.Key, Value: l.Value}
	}
	return out
}
