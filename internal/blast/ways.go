package blast

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
)

// maxWays is how many ways a version of a page shows.
const maxWays = 100

// Component is something that SBOMs list, as those say together which list it on one way.
type Component struct {
	Purl          *string // nil when none is known
	Name, Version string
	Licenses      []string
	Direct        bool
}

// Way is a way on which a version is hit. Component is nil when a part of the version is bad itself, Releasable when the
// version is as a whole.
type Way struct {
	Component  *Component
	Releasable *db.Releasable
	Direct     bool
}

// Shown is a version of a page with the first ways on which it is hit.
type Shown struct {
	Version *db.ApplicationVersion
	Through []Way
}

// way is a Way in row numbers.
type way struct {
	component, releasable int
	entries               []int
	direct                bool
}

// ways groups the rows of a version, at most limit; 0 is no limit. The parts that are bad themselves come first.
func (h Hit) ways(limit int) []way {
	var list []way
	for _, r := range h.rows {
		n := len(list)
		if n == 0 || list[n-1].component != r.component || list[n-1].releasable != r.releasable {
			if n == limit && limit > 0 {
				break
			}
			list = append(list, way{component: r.component, releasable: r.releasable})
			n++
		}
		w := &list[n-1]
		w.entries, w.direct = append(w.entries, r.entry), w.direct || r.direct
	}
	return list
}

// Show loads a page of what Hits gave, in as many queries as for one version.
func (r *Radius) Show(ctx context.Context, page []Hit) ([]Shown, error) {
	var ids, parts, entries []int
	ways := make([][]way, len(page))
	for i, h := range page {
		ids = append(ids, h.Version)
		ways[i] = h.ways(maxWays)
		for _, w := range ways[i] {
			if w.releasable != 0 {
				parts = append(parts, w.releasable)
			}
			if w.component != 0 {
				entries = append(entries, w.entries...)
			}
		}
	}
	known, err := r.known(ctx, ids, parts, entries)
	if err != nil {
		return nil, err
	}
	shown := make([]Shown, len(page))
	for i, h := range page {
		shown[i].Version = known.versions[h.Version]
		for _, w := range ways[i] {
			if w.releasable == 0 || known.releasables[w.releasable] != nil {
				shown[i].Through = append(shown[i].Through, known.way(h, w))
			}
		}
	}
	return shown, nil
}

// records are what a page shows, by row numbers.
type records struct {
	versions    map[int]*db.ApplicationVersion
	releasables map[int]*db.Releasable
	entries     map[int]Component
}

func (r *Radius) known(ctx context.Context, versions, parts, entries []int) (k records, err error) {
	read := r.service.store.Read()
	k.versions, err = loaded(versions, func(ids []int) ([]*db.ApplicationVersion, error) {
		return read.ApplicationVersion.Query().Where(applicationversion.IDIn(ids...)).WithApplication().WithCurrentStage().All(ctx)
	}, func(v *db.ApplicationVersion) int { return v.ID })
	if err != nil {
		return k, err
	}
	k.releasables, err = loaded(parts, func(ids []int) ([]*db.Releasable, error) {
		return read.Releasable.Query().Where(releasable.IDIn(ids...)).All(ctx)
	}, func(p *db.Releasable) int { return p.ID })
	if err != nil {
		return k, err
	}
	k.entries, err = r.service.entries(ctx, entries)
	return k, err
}

func (k records) way(h Hit, w way) Way {
	through := Way{Direct: w.direct}
	if part := k.releasables[w.releasable]; part != nil {
		part.Edges.Version = k.versions[h.Version]
		through.Releasable = part
	}
	if w.component != 0 {
		through.Component = together(w, k.entries)
	}
	return through
}

// together is a component as all of the way's SBOMs say.
func together(w way, listed map[int]Component) *Component {
	c := listed[w.entries[0]]
	c.Direct = w.direct
	c.Licenses = slices.Clone(c.Licenses)
	for _, e := range w.entries[1:] {
		c.Licenses = append(c.Licenses, listed[e].Licenses...)
	}
	slices.Sort(c.Licenses)
	c.Licenses = slices.Compact(c.Licenses)
	return &c
}

// entries loads components as SBOMs list them. The entries are of what is hit, so they are in reach.
func (s *Service) entries(ctx context.Context, ids []int) (map[int]Component, error) {
	listed := map[int]Component{}
	for part := range slices.Chunk(unique(ids), perQuery) {
		q := s.query().add("SELECT sc.id, c.purl, c.name, c.version, sc.licenses FROM sbom_components sc CROSS JOIN components c"+
			" WHERE sc.id % AND c.id = sc.component_id", part)
		err := s.each(ctx, q, func(scan func(...any) error) error {
			var id int
			var c Component
			var licenses []byte
			if err := scan(&id, &c.Purl, &c.Name, &c.Version, &licenses); err != nil {
				return err
			}
			if err := json.Unmarshal(licenses, &c.Licenses); err != nil {
				return err
			}
			listed[id] = c
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("load components that are hit: %w", err)
		}
	}
	return listed, nil
}
