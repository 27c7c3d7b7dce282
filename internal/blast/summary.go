package blast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/stage"
)

// perQuery is how many records one query loads by number: SQLite takes 32,766 values.
const perQuery = 5000

// Summary is how much is hit. Components are those of SBOMs, Deployments those that are live.
type Summary struct{ Versions, Applications, Owners, Components, Deployments int }

// StageCount is how many of the versions are in a stage; Stage is nil for those in none.
type StageCount struct {
	Stage    *db.Stage
	Versions int
}

// Owned is an owner and those of their applications that are hit, by key.
type Owned struct {
	Owner        *db.Owner
	Applications []*db.Application
}

// Summary counts what is hit.
func (r *Radius) Summary(ctx context.Context) (Summary, error) {
	f, err := r.answer(ctx)
	if err != nil || len(f.rows) == 0 {
		return Summary{}, err
	}
	components, owners := map[int]bool{}, map[int]bool{}
	for _, row := range f.rows {
		if row.component != 0 {
			components[row.component] = true
		}
	}
	for _, o := range f.owners {
		owners[o.owner] = true
	}
	q := r.where.running(r.service.query().add("SELECT COUNT(*) FROM deployments d WHERE d.version_id % AND ", r.ids()))
	deployments, err := r.service.ids(ctx, q)
	if err != nil {
		return Summary{}, err
	}
	return Summary{len(f.versions), len(f.keys), len(owners), len(components), deployments[0]}, nil
}

// ByStage counts the versions in each stage: the fullest first, those that are in none last.
func (r *Radius) ByStage(ctx context.Context) ([]StageCount, error) {
	f, err := r.answer(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[int]int{}
	for _, h := range f.versions {
		counts[h.Stage]++
	}
	stages, err := r.stages(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]StageCount, 0, len(counts))
	for id, n := range counts {
		if id != 0 {
			list = append(list, StageCount{stages[id], n})
		}
	}
	slices.SortFunc(list, func(a, b StageCount) int {
		return cmp.Or(cmp.Compare(b.Versions, a.Versions), strings.Compare(a.Stage.Name, b.Stage.Name), cmp.Compare(a.Stage.ID, b.Stage.ID))
	})
	if n := counts[0]; n > 0 {
		list = append(list, StageCount{nil, n})
	}
	return list, nil
}

// Owners returns whom to call, by reference.
func (r *Radius) Owners(ctx context.Context) ([]Owned, error) {
	f, err := r.answer(ctx)
	if err != nil || len(f.owners) == 0 {
		return nil, err
	}
	var ownerIDs, applicationIDs []int
	for _, o := range f.owners {
		ownerIDs, applicationIDs = append(ownerIDs, o.owner), append(applicationIDs, o.application)
	}
	owners, err := loaded(ownerIDs, func(ids []int) ([]*db.Owner, error) {
		return r.service.store.Read().Owner.Query().Where(owner.IDIn(ids...)).All(ctx)
	}, func(o *db.Owner) int { return o.ID })
	if err != nil {
		return nil, err
	}
	applications, err := loaded(applicationIDs, func(ids []int) ([]*db.Application, error) {
		return r.service.store.Read().Application.Query().Where(application.IDIn(ids...)).All(ctx)
	}, func(a *db.Application) int { return a.ID })
	if err != nil {
		return nil, err
	}
	var list []Owned
	for _, o := range f.owners {
		if n := len(list); n == 0 || list[n-1].Owner.ID != o.owner {
			list = append(list, Owned{Owner: owners[o.owner]})
		}
		of := &list[len(list)-1]
		of.Applications = append(of.Applications, applications[o.application])
	}
	return list, nil
}

func (r *Radius) stages(ctx context.Context) (map[int]*db.Stage, error) {
	var ids []int
	for _, h := range r.answered.found.versions {
		if h.Stage != 0 {
			ids = append(ids, h.Stage)
		}
	}
	return loaded(ids, func(ids []int) ([]*db.Stage, error) {
		return r.service.store.Read().Stage.Query().Where(stage.IDIn(ids...)).All(ctx)
	}, func(s *db.Stage) int { return s.ID })
}

// loaded gives the records of the numbers. What is hit lies in reach, so each is there, but for the parts of a draft that
// changed meanwhile.
func loaded[R any](ids []int, some func([]int) ([]R, error), id func(R) int) (map[int]R, error) {
	ids = unique(slices.Clone(ids))
	records := map[int]R{}
	for part := range slices.Chunk(ids, perQuery) {
		rows, err := some(part)
		if err != nil {
			return nil, fmt.Errorf("load what is hit: %w", err)
		}
		for _, row := range rows {
			records[id(row)] = row
		}
	}
	return records, nil
}
