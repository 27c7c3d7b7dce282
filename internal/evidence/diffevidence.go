package evidence

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// MaxCompared is how many pieces of evidence a version may have to be compared with another.
const MaxCompared = 5000

// EvidenceDiff is how the evidence about two versions differs. Each list is ordered by predicate type and signer.
type EvidenceDiff struct {
	// Added is of kinds that the second alone has, Removed of kinds that the first alone has.
	Added, Removed []*db.Evidence
	// Changed is what both have and says something else, as the first and as the second has it.
	Changed [][2]*db.Evidence
}

// evidenceKind is what makes evidence about two versions comparable: the same type from the same signer, or, when nobody
// signed it, from the same provider.
type evidenceKind struct{ predicateType, from string }

func evidenceKindOf(e *db.Evidence) evidenceKind {
	if _, _, signed := SignerOf(e); signed {
		return evidenceKind{e.PredicateType, e.SignerKey}
	}
	return evidenceKind{e.PredicateType, saidPrefix + e.Provider} // no signer is called so
}

func byKind(a, b evidenceKind) int {
	return cmp.Or(cmp.Compare(a.predicateType, b.predicateType), cmp.Compare(a.from, b.from))
}

// DiffEvidence compares the newest evidence of each kind about two versions that was not withdrawn, as far as whoever asks may see it.
func (s *Service) DiffEvidence(ctx context.Context, from, to *db.ApplicationVersion) (EvidenceDiff, error) {
	before, err := s.newest(ctx, from)
	if err != nil {
		return EvidenceDiff{}, err
	}
	after, err := s.newest(ctx, to)
	if err != nil {
		return EvidenceDiff{}, err
	}
	// What is the same in both is not loaded.
	for k, old := range before {
		if e, ok := after[k]; ok && e.Digest == old.Digest {
			delete(before, k)
			delete(after, k)
		}
	}
	rows, err := s.whole(ctx, before, after)
	if err != nil {
		return EvidenceDiff{}, err
	}
	var diff EvidenceDiff
	for _, k := range slices.SortedFunc(maps.Keys(before), byKind) {
		if e, ok := after[k]; ok {
			diff.Changed = append(diff.Changed, [2]*db.Evidence{rows[before[k].ID], rows[e.ID]})
		} else {
			diff.Removed = append(diff.Removed, rows[before[k].ID])
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(after), byKind) {
		if before[k] == nil {
			diff.Added = append(diff.Added, rows[after[k].ID])
		}
	}
	return diff, nil
}

// newest gives the newest evidence of each kind about a version, with no more of it than it is compared by.
func (s *Service) newest(ctx context.Context, v *db.ApplicationVersion) (map[evidenceKind]*db.Evidence, error) {
	rows, err := s.store.Read().Evidence.Query().Where(about(v)...).Where(notWithdrawn).
		Select(evidence.FieldID, evidence.FieldDigest, evidence.FieldSignerKey, evidence.FieldPredicateType, evidence.FieldProvider).
		Order(evidence.ByID()).Limit(MaxCompared + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evidence of version %d: %w", v.ID, err)
	}
	if len(rows) > MaxCompared {
		return nil, fault.New(fault.ResourceExhausted, "there are more than %d pieces of evidence about version %q, and no more are compared: page through the evidence of each version", MaxCompared, v.Version)
	}
	kinds := map[evidenceKind]*db.Evidence{}
	for _, e := range rows {
		kinds[evidenceKindOf(e)] = e
	}
	return kinds, nil
}

// whole loads the rows of what differs, by id. Twice MaxCompared ids fit into a statement.
func (s *Service) whole(ctx context.Context, sides ...map[evidenceKind]*db.Evidence) (map[int]*db.Evidence, error) {
	var ids []int
	for _, side := range sides {
		for _, e := range side {
			ids = append(ids, e.ID)
		}
	}
	rows, err := s.store.Read().Evidence.Query().Where(evidence.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load evidence that differs: %w", err)
	}
	found := make(map[int]*db.Evidence, len(rows))
	for _, e := range rows {
		found[e.ID] = e
	}
	return found, nil
}
