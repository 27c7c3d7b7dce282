package evidence

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/sbomcomponent"
)

// ByDigest returns the evidence whose payload has the digest: one record a signer and place, oldest first.
func (s *Service) ByDigest(ctx context.Context, digest string) ([]*db.Evidence, error) {
	found, err := s.store.Read().Evidence.Query().Where(evidence.Digest(digest)).Order(evidence.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evidence %s: %w", digest, err)
	}
	return found, nil
}

// OfVersion returns a page of the evidence about a version, oldest first, also of what was withdrawn: what speaks of its manifest, of anything
// in it or of a build that made it, and was pushed to the organisation or to the version's project.
func (s *Service) OfVersion(ctx context.Context, v *db.ApplicationVersion, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.EvidenceConnection, error) {
	return s.store.Read().Evidence.Query().Where(about(v)...).Paginate(ctx, after, first, before, last)
}

// SbomsOf returns the different SBOMs among the evidence about a version, in the order in which they were first seen. What was
// withdrawn does not say what is in it.
func (s *Service) SbomsOf(ctx context.Context, v *db.ApplicationVersion) ([]*db.Sbom, error) {
	found, err := s.store.Read().Sbom.Query().Where(attachedTo(v)).Order(sbom.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load SBOMs of version %d: %w", v.ID, err)
	}
	return found, nil
}

// ComponentCount returns how many different components the SBOMs list together.
func (s *Service) ComponentCount(ctx context.Context, sboms []*db.Sbom) (int, error) {
	switch len(sboms) {
	case 0:
		return 0, nil
	case 1:
		return sboms[0].ComponentCount, nil
	}
	ids := make([]int, len(sboms))
	for i, b := range sboms {
		ids[i] = b.ID
	}
	n, err := s.store.Read().SbomComponent.Query().Where(sbomcomponent.SbomIDIn(ids...)).
		Aggregate(func(s *sql.Selector) string { return sql.Count(sql.Distinct(s.C(sbomcomponent.FieldComponentID))) }).Int(ctx)
	if err != nil {
		return 0, fmt.Errorf("count components: %w", err)
	}
	return n, nil
}

// about matches the evidence that counts for a version, or did before it was withdrawn.
func about(v *db.ApplicationVersion) []predicate.Evidence {
	return []predicate.Evidence{
		func(s *sql.Selector) {
			s.Where(sql.And(countsIn(v.ProjectID, s.C(evidence.FieldProjectID)), sql.In(s.C(evidence.FieldID), speakingOf(v))))
		},
	}
}

// attachedTo matches the SBOMs that came as evidence which counts for a version.
func attachedTo(v *db.ApplicationVersion) predicate.Sbom {
	return func(s *sql.Selector) {
		e := sql.Table(evidence.Table).As("attached")
		s.Where(sql.In(s.C(sbom.FieldID), sql.Select(e.C(evidence.FieldSbomID)).From(e).Where(sql.And(
			sql.NotNull(e.C(evidence.FieldSbomID)),
			countsIn(v.ProjectID, e.C(evidence.FieldProjectID)),
			sql.In(e.C(evidence.FieldID), speakingOf(v)),
			counts(e.C(evidence.FieldID)),
		))))
	}
}

// countsIn holds where the column, the project that evidence was pushed to, is the project or empty. It is written so that
// no index serves it: an OR would make SQLite read all that was pushed to the organisation.
func countsIn(projectID int, column string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.WriteString("COALESCE(").Ident(column).Comma().Arg(projectID).WriteString(") = ").Arg(projectID)
	})
}

// speakingOf selects the ids of evidence with a subject that is the version's manifest, in it, or a build that made something
// in it. They are united in a subquery, so that the subjects are found by index; with an OR Postgres reads all of them.
func speakingOf(v *db.ApplicationVersion) *sql.Selector {
	subject, itself, part := sql.Table(evidencesubject.Table), sql.Table(applicationversion.Table), sql.Table(releasable.Table)
	source, made := sql.Table(build.Table), sql.Table(releasable.Table).As("made")
	digests := sql.Select(itself.C(applicationversion.FieldManifestDigest)).From(itself).
		Where(sql.EQ(itself.C(applicationversion.FieldID), v.ID)).
		UnionAll(sql.Select(part.C(releasable.FieldDigest)).From(part).Where(sql.And(
			sql.EQ(part.C(releasable.FieldVersionID), v.ID), sql.NotNull(part.C(releasable.FieldDigest)),
		))).
		UnionAll(sql.Select(source.C(build.FieldDigest)).From(source).Where(sql.In(source.C(build.FieldID),
			sql.Select(made.C(releasable.FieldSourceBuildID)).From(made).Where(sql.And(
				sql.EQ(made.C(releasable.FieldVersionID), v.ID), sql.NotNull(made.C(releasable.FieldSourceBuildID)),
			)),
		)))
	return sql.Select(subject.C(evidencesubject.FieldEvidenceID)).From(subject).
		Where(sql.In(subject.C(evidencesubject.FieldDigest), digests))
}
