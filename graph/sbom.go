package graph

import (
	"context"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// slice is a page of a list that is in memory.
type slice[E any] struct {
	edges []E
	info  *entgql.PageInfo[int]
}

// sliced pages through a list that does not change under its name. A cursor is a place in the list and its name, so that
// one of another list, or of what the list was before, is refused and not misread.
func sliced[N, E any](name string, list []N, edge func(cursor, N) E, first *int, after *string, last *int, before *string) (slice[E], error) {
	return paginate(func(after *cursor, first *int, before *cursor, last *int) (slice[E], error) {
		from, to := 0, len(list)
		for path, c := range map[string]*cursor{"after": after, "before": before} {
			if c != nil && (c.Value != name || c.ID < 1 || c.ID > len(list)) {
				return slice[E]{}, fault.At(path, "not a cursor of this list as it is now: start again without it")
			}
		}
		if after != nil {
			from = after.ID
		}
		if before != nil {
			to = max(from, before.ID-1)
		}
		if first != nil {
			to = min(to, from+*first)
		}
		if last != nil {
			from = max(from, to-*last)
		}
		page := slice[E]{edges: make([]E, 0, to-from), info: &entgql.PageInfo[int]{HasNextPage: to < len(list), HasPreviousPage: from > 0}}
		for i := from; i < to; i++ {
			page.edges = append(page.edges, edge(cursor{ID: i + 1, Value: name}, list[i]))
		}
		if from < to {
			page.info.StartCursor, page.info.EndCursor = &cursor{ID: from + 1, Value: name}, &cursor{ID: to, Value: name}
		}
		return page, nil
	}, first, after, last, before)
}

// componentEdge, needEdge and changeEdge give what domains list the shape of the API.
func componentEdge(at cursor, c *evidence.SbomComponent) *model.SbomComponentEdge {
	return &model.SbomComponentEdge{Cursor: at, Node: c}
}

func needEdge(at cursor, n evidence.Need) *model.SbomDependencyEdge {
	return &model.SbomDependencyEdge{Cursor: at, Node: &model.SbomDependency{From: n.From, To: n.To}}
}

func changeEdge(at cursor, d evidence.Difference) *model.ComponentChangeEdge {
	return &model.ComponentChangeEdge{Cursor: at, Node: &model.ComponentChange{Kind: d.Kind, Before: d.Before, After: d.After}}
}

// compared finds both versions; nil when whoever asks does not see both.
func (r *Resolver) compared(ctx context.Context, application, from, toApplication, to string) (*model.VersionDiff, error) {
	first, err := r.do.Versions.Version(ctx, application, from)
	if err != nil || first == nil {
		return nil, err
	}
	second, err := r.do.Versions.Version(ctx, toApplication, to)
	if err != nil || second == nil {
		return nil, err
	}
	return &model.VersionDiff{From: first, To: second}, nil
}

// shownEvidence gives what differs the shape of the API.
func shownEvidence(diff evidence.EvidenceDiff) *model.EvidenceChanges {
	out := &model.EvidenceChanges{Added: diff.Added, Removed: diff.Removed}
	for _, c := range diff.Changed {
		out.Changed = append(out.Changed, &model.EvidenceChange{Before: c[0], After: c[1]})
	}
	return out
}
