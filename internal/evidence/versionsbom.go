package evidence

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
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
	if out.Complete, err = s.complete(ctx, v, sboms); err != nil {
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

// complete tells whether each SBOM says that it is complete, and each thing with a digest that the version contains has
// one, or the version as a whole.
func (s *Service) complete(ctx context.Context, v *db.ApplicationVersion, sboms []*db.Sbom) (bool, error) {
	for _, b := range sboms {
		if !b.Complete {
			return false, nil
		}
	}
	lacking, err := s.store.Read().Releasable.Query().
		Where(releasable.VersionID(v.ID), releasable.DigestNotNil(), func(part *sql.Selector) {
			part.Where(sql.And(
				sql.Not(sql.Exists(described(v, func(digest string) *sql.Predicate { return sql.ColumnsEQ(digest, part.C(releasable.FieldDigest)) }))),
				sql.Not(sql.Exists(described(v, func(digest string) *sql.Predicate { return sql.EQ(digest, v.ManifestDigest) }))),
			))
		}).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for parts of version %d without an SBOM: %w", v.ID, err)
	}
	return !lacking, nil
}

// described selects SBOMs that count for a version and speak of a digest. Whoever sees the version sees them all.
func described(v *db.ApplicationVersion, of func(digest string) *sql.Predicate) *sql.Selector {
	subject, e := sql.Table(evidencesubject.Table).As("described"), sql.Table(evidence.Table).As("describing")
	return sql.Select(e.C(evidence.FieldID)).From(subject).Join(e).On(e.C(evidence.FieldID), subject.C(evidencesubject.FieldEvidenceID)).
		Where(sql.And(
			of(subject.C(evidencesubject.FieldDigest)),
			sql.NotNull(e.C(evidence.FieldSbomID)),
			countsIn(v.ProjectID, e.C(evidence.FieldProjectID)),
			counts(e.C(evidence.FieldID)),
		))
}
