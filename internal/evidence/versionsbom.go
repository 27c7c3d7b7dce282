package evidence

import (
	"context"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// VersionSbom is the bills of materials of a version, taken together.
type VersionSbom struct {
	// Version is the version that they describe.
	Version *db.ApplicationVersion
	// Digest is that of the document; of the canonical JSON list of the documents' digests when there are several.
	Digest string
	// Format is nil when the documents differ in it.
	Format *string
	// ComponentCount is how many different components they list together.
	ComponentCount int
	// Complete tells whether there is an SBOM for every artifact of the version, and each says of itself that it is complete.
	Complete bool
	// Documents are in the order in which they were first seen.
	Documents []*db.Sbom
}

// SbomComponent is something that a version is made of, as its bills of materials say together.
type SbomComponent struct {
	// Purl is nil when none is known, Version empty.
	Purl          *string
	Name, Version string
	// Licenses are SPDX identifiers or expressions, sorted, each once.
	Licenses []string
	Direct   bool
}

// SbomOf returns the bills of materials of a version, taken together; nil while there is none.
func (s *Service) SbomOf(ctx context.Context, v *db.ApplicationVersion) (*VersionSbom, error) {
	sboms, err := s.SbomsOf(ctx, v)
	if err != nil || len(sboms) == 0 {
		return nil, err
	}
	out := &VersionSbom{Version: v, Digest: sboms[0].Digest, Documents: sboms}
	if out.ComponentCount, err = s.ComponentCount(ctx, sboms); err != nil {
		return nil, err
	}
	format := string(sboms[0].Format)
	out.Format = &format
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
