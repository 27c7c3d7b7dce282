package evidence

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Export writes the bills of materials of a version as one document, in the latest version of the format that is widely
// read. Equal contents give equal text: it is dated by when the version was locked.
func (s *Service) Export(ctx context.Context, b *VersionSbom, format string) (string, error) {
	var write func(io.Writer, bom.Export) error
	switch bom.Format(format) {
	case bom.CycloneDX:
		write = bom.WriteCycloneDX
	case bom.SPDX:
		write = bom.WriteSPDX
	default:
		return "", fault.At("format", "want %s or %s, got %q", bom.CycloneDX, bom.SPDX, format)
	}
	app, err := s.store.Read().Application.Get(ctx, b.Version.ApplicationID)
	if err != nil {
		return "", fmt.Errorf("load application of version %d: %w", b.Version.ID, err)
	}
	merged, err := s.Merged(ctx, b)
	if err != nil {
		return "", err
	}
	parts := merged.parts
	parts.Complete = b.Complete
	var out bytes.Buffer
	err = write(&out, bom.Export{
		Name: app.Key, Version: b.Version.Version, Digest: b.Version.ManifestDigest,
		Created: lockedAt(b.Version), Tool: s.program, Merged: parts,
	})
	if err != nil {
		return "", fmt.Errorf("write SBOM of version %d: %w", b.Version.ID, err)
	}
	if out.Len() > bom.MaxDocument {
		return "", fault.New(fault.ResourceExhausted, "written as %s the bill of materials is %d bytes long; at most %d are given: page through the components", format, out.Len(), bom.MaxDocument)
	}
	return out.String(), nil
}

// lockedAt is when a version became what it is; a draft is dated by when it was made.
func lockedAt(v *db.ApplicationVersion) time.Time {
	if v.LockedAt != nil {
		return *v.LockedAt
	}
	return v.CreatedAt
}
