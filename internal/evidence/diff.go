package evidence

import (
	"cmp"
	"context"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/bom"
)

// What happened to something between two versions.
const (
	Added   = "ADDED"
	Removed = "REMOVED"
	Changed = "CHANGED"
)

// ComponentDiff is how the components of two versions differ.
type ComponentDiff struct {
	// Digests are those of the two versions' bills of materials; empty where there is none. Equal digests, equal diff.
	Digests [2]string
	// Added, Removed and Changed count the differences.
	Added, Removed, Changed int
	// List holds them, by name.
	List []Difference
}

// Difference is a component that differs between two versions.
type Difference struct {
	// Kind is Added, Removed or Changed.
	Kind string
	// Before is nil when it was added, After when it was removed.
	Before, After *SbomComponent
}

// component is what differs; of two, as the second version has it.
func (d Difference) component() *SbomComponent { return cmp.Or(d.After, d.Before) }

// DiffComponents compares what the bills of materials of two versions list, as far as whoever asks may see them. A version
// without one lists nothing.
func (s *Service) DiffComponents(ctx context.Context, from, to *db.ApplicationVersion) (ComponentDiff, error) {
	var diff ComponentDiff
	var lists [2][]bom.Component
	for i, v := range []*db.ApplicationVersion{from, to} {
		b, err := s.SbomOf(ctx, v)
		if err != nil {
			return ComponentDiff{}, err
		}
		if b == nil {
			continue
		}
		m, err := s.Merged(ctx, b)
		if err != nil {
			return ComponentDiff{}, err
		}
		diff.Digests[i], lists[i] = b.Digest, m.parts.Components
	}
	diff.fill(bom.Diff(lists[0], lists[1]))
	return diff, nil
}

func (d *ComponentDiff) fill(changes bom.Changes) {
	d.Added, d.Removed, d.Changed = len(changes.Added), len(changes.Removed), len(changes.Changed)
	for _, c := range changes.Added {
		d.List = append(d.List, Difference{Kind: Added, After: shownComponent(c)})
	}
	for _, c := range changes.Removed {
		d.List = append(d.List, Difference{Kind: Removed, Before: shownComponent(c)})
	}
	for _, c := range changes.Changed {
		d.List = append(d.List, Difference{Kind: Changed, Before: shownComponent(c.From), After: shownComponent(c.To)})
	}
	// Name, purl and version are of one difference only: what is removed is not in the second list.
	slices.SortFunc(d.List, func(x, y Difference) int {
		a, b := x.component(), y.component()
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(text(a.Purl), text(b.Purl)), cmp.Compare(a.Version, b.Version))
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
