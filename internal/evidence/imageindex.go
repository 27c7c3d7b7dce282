package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/imagechild"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/view"
)

// isIndex tells whether a claim is an image index itself. Its own digest says which images it holds, so nobody need vouch
// for that; a statement that has one as its predicate is a statement and no index.
func (c claim) isIndex() bool { return !c.signed() && c.predicateType == view.ImageIndexType }

// readChildren gives what an image index holds, sorted by digest; nil for any other claim.
func readChildren(c claim) ([]view.ImageChild, error) {
	if !c.isIndex() {
		return nil, nil
	}
	children, err := view.ReadImageIndex(c.predicate)
	if err != nil {
		return nil, fault.At(c.path, "refused: %v", err)
	}
	slices.SortFunc(children, func(a, b view.ImageChild) int { return cmp.Compare(a.Digest, b.Digest) })
	return children, nil
}

// recordChildren writes what image indexes hold. Everybody who sends an index says the same of it.
func (s *Service) recordChildren(ctx context.Context, tx *db.Client, entries []*entry) error {
	rows := store.Rows{
		Table: imagechild.Table,
		Columns: []string{
			imagechild.FieldIndexDigest, imagechild.FieldDigest, imagechild.FieldMediaType, imagechild.FieldPlatform, imagechild.FieldSize,
		},
		Unique: []string{imagechild.FieldIndexDigest, imagechild.FieldDigest},
	}
	for _, e := range entries { // sorted by digest
		for _, c := range e.children {
			rows.Add(e.digest, c.Digest, c.MediaType, c.Platform, c.Size)
		}
	}
	if err := s.store.Insert(ctx, tx, rows, nil); err != nil {
		return fmt.Errorf("write images of indexes: %w", err)
	}
	return nil
}

// ChildrenOf returns what each of the digests holds that are of image indexes somebody has sent, ordered by platform.
func (s *Service) ChildrenOf(ctx context.Context, digests []string) (map[string][]*db.ImageChild, error) {
	found := map[string][]*db.ImageChild{}
	for some := range slices.Chunk(digests, digestsPerStatement) {
		rows, err := s.store.Read().ImageChild.Query().Where(imagechild.IndexDigestIn(some...)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load images of indexes: %w", err)
		}
		for _, row := range rows {
			found[row.IndexDigest] = append(found[row.IndexDigest], row)
		}
	}
	for _, children := range found {
		slices.SortFunc(children, func(a, b *db.ImageChild) int {
			return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Digest, b.Digest))
		})
	}
	return found, nil
}

// IndexEvidence is evidence about image indexes that hold something which a version contains.
type IndexEvidence struct {
	GateEvidence
	// Children are the digests of what is in the version and in one of the indexes that the evidence speaks of, sorted.
	Children []string
}

// IndexesForGate returns the evidence that counts for a version only where a rule says so: it speaks of image indexes that
// hold something in the version, and neither of the version nor of its contents. It reads as ForGate does.
func (s *Service) IndexesForGate(ctx context.Context, v *db.ApplicationVersion) ([]IndexEvidence, error) {
	ctx = auth.System(ctx)
	held, err := s.store.Read().ImageChild.Query().Where(inVersion(v)).Order(imagechild.ByDigest()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load image indexes of version %d: %w", v.ID, err)
	}
	if len(held) == 0 {
		return nil, nil
	}
	children := map[string][]string{} // by index
	for _, h := range held {
		children[h.IndexDigest] = append(children[h.IndexDigest], h.Digest)
	}
	found, err := s.gateEvidence(ctx, v, func(q *sql.Selector) {
		q.Where(sql.And(
			countsIn(v.ProjectID, q.C(evidence.FieldProjectID)),
			sql.In(q.C(evidence.FieldID), speakingOfIndexes(v)),
			sql.NotIn(q.C(evidence.FieldID), speakingOf(v)),
		))
	})
	list := make([]IndexEvidence, len(found))
	for i, e := range found {
		list[i].GateEvidence = e
		for _, about := range e.Subjects {
			list[i].Children = union(list[i].Children, children[about])
		}
	}
	return list, err
}

// inVersion matches the images in indexes that a version contains.
func inVersion(v *db.ApplicationVersion) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.In(s.C(imagechild.FieldDigest), artifactsOf(v))) }
}

// artifactsOf selects the digests of a version's artifacts.
func artifactsOf(v *db.ApplicationVersion) *sql.Selector {
	part := sql.Table(releasable.Table).As("image")
	return sql.Select(part.C(releasable.FieldDigest)).From(part).Where(sql.And(
		sql.EQ(part.C(releasable.FieldVersionID), v.ID), sql.NotNull(part.C(releasable.FieldDigest)),
	))
}

// speakingOfIndexes selects the ids of evidence with a subject that is an index with an image in the version.
func speakingOfIndexes(v *db.ApplicationVersion) *sql.Selector {
	subject, child := sql.Table(evidencesubject.Table).As("of_index"), sql.Table(imagechild.Table).As("held")
	return sql.Select(subject.C(evidencesubject.FieldEvidenceID)).From(subject).Where(sql.In(subject.C(evidencesubject.FieldDigest),
		sql.Select(child.C(imagechild.FieldIndexDigest)).From(child).Where(sql.In(child.C(imagechild.FieldDigest), artifactsOf(v))),
	))
}
