package graph

import (
	"context"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/version"
)

// owning returns the application that owns a part of a version now, as far as whoever asks may see it.
func (r *Resolver) owning(ctx context.Context, part *db.Releasable) (*db.Application, error) {
	ref, ok := version.RefOf(part)
	if !ok {
		return nil, nil
	}
	return load(ctx).owning.Load(ctx, ref)
}

// versionOf returns the version that a part belongs to; a page of contents brings it along.
func versionOf(ctx context.Context, part *db.Releasable) (*db.ApplicationVersion, error) {
	v, err := part.Edges.VersionOrErr()
	if db.IsNotLoaded(err) {
		return part.QueryVersion().Only(ctx)
	}
	return v, err
}

// versionSbom takes the bills of materials of a version together.
func (r *Resolver) versionSbom(ctx context.Context, sboms []*db.Sbom) (*model.VersionSbom, error) {
	count, err := r.do.Evidence.ComponentCount(ctx, sboms)
	if err != nil {
		return nil, err
	}
	format := string(sboms[0].Format)
	out := &model.VersionSbom{Digest: sboms[0].Digest, Format: &format, ComponentCount: count, Documents: sboms}
	if len(sboms) == 1 {
		return out, nil
	}
	digests := make([]string, len(sboms))
	for i, b := range sboms {
		digests[i] = b.Digest
		if b.Format != sboms[0].Format {
			out.Format = nil
		}
	}
	list, err := canonical.JSON(digests)
	if err != nil {
		return nil, err
	}
	out.Digest = canonical.Digest(list)
	return out, nil
}

// shownLabels gives recorded labels the shape of those in the tables.
func shownLabels(list []labels.Label) []*db.Label {
	out := make([]*db.Label, len(list))
	for i, l := range list {
		out[i] = &db.Label{Key: l.Key, Value: l.Value}
	}
	return out
}
