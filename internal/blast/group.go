package blast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
)

// MaxComponents is how many components ByComponent gives at most.
const MaxComponents = 1000

// ApplicationCount is an application and how many of its versions are hit.
type ApplicationCount struct{ Application, Versions int }

// ComponentCount is a component through which versions are hit, how many and of how many applications.
type ComponentCount struct {
	Component              Component
	Versions, Applications int
}

// ByApplication returns the applications that are hit, by key, and a name for the list as it is now.
func (r *Radius) ByApplication(ctx context.Context) ([]ApplicationCount, string, error) {
	f, err := r.answer(ctx)
	if err != nil {
		return nil, "", err
	}
	list := make([]ApplicationCount, 0, len(f.keys))
	for _, h := range f.versions { // by application
		if n := len(list); n == 0 || list[n-1].Application != h.Application {
			list = append(list, ApplicationCount{Application: h.Application})
		}
		list[len(list)-1].Versions++
	}
	return list, "applications of " + f.name, nil
}

// Applications loads a page of what ByApplication gave, in its order.
func (r *Radius) Applications(ctx context.Context, page []ApplicationCount) ([]*db.Application, error) {
	ids := make([]int, len(page))
	for i, c := range page {
		ids[i] = c.Application
	}
	rows, err := loaded(ids, func(ids []int) ([]*db.Application, error) {
		return r.service.store.Read().Application.Query().Where(application.IDIn(ids...)).All(ctx)
	}, func(a *db.Application) int { return a.ID })
	if err != nil {
		return nil, err
	}
	list := make([]*db.Application, len(page))
	for i, id := range ids {
		list[i] = rows[id]
	}
	return list, nil
}

// counted is a ComponentCount in row numbers. Entry is the newest through which something is hit.
type counted struct {
	component, entry       int
	versions, applications int
	direct                 bool
	// version and application are those that were counted last.
	version, application int
}

// ByComponent returns the components through which versions are hit: those in most versions first, at most MaxComponents. Of
// each it tells the licences that the newest of its SBOMs names: one component may stand in a hundred thousand, and reading
// all of them would cost more than the answer.
func (r *Radius) ByComponent(ctx context.Context) ([]ComponentCount, error) {
	f, err := r.answer(ctx)
	if err != nil {
		return nil, err
	}
	first, err := r.foremost(ctx, f.components())
	if err != nil {
		return nil, err
	}
	entries := make([]int, len(first))
	for i, c := range first {
		entries[i] = c.entry
	}
	listed, err := r.service.entries(ctx, slices.Clone(entries))
	if err != nil {
		return nil, err
	}
	list := make([]ComponentCount, len(first))
	for i, c := range first {
		list[i] = ComponentCount{listed[c.entry], c.versions, c.applications}
		list[i].Component.Direct = c.direct
	}
	return list, nil
}

// components counts through what versions are hit. The versions of an application stand together, so that each is new or the
// one before.
func (f *found) components() []*counted {
	by := map[int]*counted{}
	var list []*counted
	for _, h := range f.versions {
		for _, row := range h.rows {
			if row.component == 0 {
				continue
			}
			c := by[row.component]
			if c == nil {
				c = &counted{component: row.component}
				by[row.component], list = c, append(list, c)
			}
			c.entry, c.direct = max(c.entry, row.entry), c.direct || row.direct
			if c.version != h.Version {
				c.version = h.Version
				c.versions++
			}
			if c.application != h.Application {
				c.application = h.Application
				c.applications++
			}
		}
	}
	return list
}

// foremost are the first MaxComponents: those in most versions, and of as many by purl. What cannot be among them is not
// looked up.
func (r *Radius) foremost(ctx context.Context, list []*counted) ([]*counted, error) {
	slices.SortFunc(list, func(a, b *counted) int { return cmp.Compare(b.versions, a.versions) })
	if len(list) > MaxComponents {
		least := list[MaxComponents-1].versions
		list = slices.DeleteFunc(list, func(c *counted) bool { return c.versions < least })
	}
	ids := make([]int, len(list))
	for i, c := range list {
		ids[i] = c.component
	}
	names := make(map[int]string, len(list))
	q := r.service.query().add("SELECT id, identity FROM components WHERE id %", unique(ids))
	err := r.service.each(ctx, q, func(scan func(...any) error) error {
		var id int
		var identity string
		err := scan(&id, &identity)
		names[id] = identity
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load components that are hit: %w", err)
	}
	slices.SortFunc(list, func(a, b *counted) int {
		return cmp.Or(cmp.Compare(b.versions, a.versions), strings.Compare(names[a.component], names[b.component]))
	})
	return list[:min(len(list), MaxComponents)], nil
}
