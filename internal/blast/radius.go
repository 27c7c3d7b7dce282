package blast

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Radius is what is hit: a question, and the answer once it was asked for. Its answers are those for whoever asked it.
type Radius struct {
	service *Service
	of      BlastRadiusInput
	in      BlastRadiusScope
	start   start
	where   where
	nothing bool // lies in what is asked about

	// answered is apart, so that who copies the question shares the answer.
	answered *answered
}

// answered is the answer, once it was asked for.
type answered struct {
	once  sync.Once
	found found
	err   error
}

// found is what is hit.
type found struct {
	rows     []row
	versions []Hit // by application, newest first
	keys     map[int]string
	owners   []held
	// name is what a cursor of the list names: the question and the versions found.
	name string
}

// Hit is a version that is hit, by row numbers.
type Hit struct {
	Version, Application, Stage int // Stage is 0 for none
	rows                        []row
}

type held struct {
	owner, application int
	ref                string
}

// Hits returns the versions that are hit, by application and then newest first, and a name for the list as it is now.
func (r *Radius) Hits(ctx context.Context) (list []Hit, name string, err error) {
	f, err := r.answer(ctx)
	if err != nil {
		return nil, "", err
	}
	return f.versions, f.name, nil
}

func (r *Radius) answer(ctx context.Context) (*found, error) {
	a := r.answered
	a.once.Do(func() { a.err = r.find(ctx) })
	return &a.found, a.err
}

func (r *Radius) find(ctx context.Context) (err error) {
	f := &r.answered.found
	if !r.nothing {
		if f.rows, err = r.service.collect(ctx, r.start, r.where); err != nil {
			return err
		}
	}
	if len(f.rows) > 0 {
		if err := r.placed(ctx); err != nil {
			return err
		}
	}
	slices.SortFunc(f.versions, func(a, b Hit) int {
		return cmp.Or(strings.Compare(f.keys[a.Application], f.keys[b.Application]), cmp.Compare(b.Version, a.Version))
	})
	f.name, err = r.named()
	return err
}

// placed looks up of which application the versions are and in which stage, and whose they are: at once, because on Postgres
// a statement takes longer to arrive and be planned than to be answered.
func (r *Radius) placed(ctx context.Context) error {
	f := &r.answered.found
	var ids []int
	for from := 0; from < len(f.rows); {
		to := from + 1
		for to < len(f.rows) && f.rows[to].version == f.rows[from].version {
			to++
		}
		ids = append(ids, f.rows[from].version)
		f.versions = append(f.versions, Hit{Version: f.rows[from].version, rows: f.rows[from:to:to]})
		from = to
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.kept(ctx, ids) })
	group.Go(func() error { return r.owned(ctx, ids) })
	if err := group.Wait(); err != nil {
		return err
	}
	slices.SortFunc(f.owners, func(a, b held) int {
		return cmp.Or(strings.Compare(a.ref, b.ref), strings.Compare(f.keys[a.application], f.keys[b.application]))
	})
	return nil
}

// kept looks up application and stage of the versions, which are in the order of the list.
func (r *Radius) kept(ctx context.Context, ids []int) error {
	f, at := &r.answered.found, make(map[int]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	q := r.where.stage(r.service.query().add("SELECT v.id, v.application_id, a.key, COALESCE((")).
		add("), 0) FROM application_versions v JOIN applications a ON a.id = v.application_id WHERE v.id %", ids)
	f.keys = map[int]string{}
	err := r.service.each(ctx, q, func(scan func(...any) error) error {
		var id, application, stage int
		var key string
		if err := scan(&id, &application, &key, &stage); err != nil {
			return err
		}
		h := &f.versions[at[id]]
		h.Application, h.Stage, f.keys[application] = application, stage, key
		return nil
	})
	if err != nil {
		return fmt.Errorf("load versions that are hit: %w", err)
	}
	return nil
}

// owned looks up who answered for the applications of the versions.
func (r *Radius) owned(ctx context.Context, ids []int) error {
	f := &r.answered.found
	q := r.service.query().add("SELECT DISTINCT o.owner_id, o.application_id, w.ref FROM ownerships o JOIN owners w ON w.id = o.owner_id"+
		" WHERE o.application_id IN (SELECT v.application_id FROM application_versions v WHERE v.id %) AND ", ids).during("o", r.where.asOf)
	err := r.service.each(ctx, q, func(scan func(...any) error) error {
		var o held
		err := scan(&o.owner, &o.application, &o.ref)
		f.owners = append(f.owners, o)
		return err
	})
	if err != nil {
		return fmt.Errorf("load owners of applications that are hit: %w", err)
	}
	return nil
}

func (r *Radius) named() (string, error) {
	ids := make([]int, len(r.answered.found.versions))
	for i, h := range r.answered.found.versions {
		ids[i] = h.Version
	}
	text, err := json.Marshal([]any{r.of, r.in, ids})
	if err != nil {
		return "", fmt.Errorf("name a blast radius: %w", err)
	}
	return "blast radius " + canonical.Digest(text), nil
}

func (r *Radius) ids() []int {
	ids := make([]int, len(r.answered.found.versions))
	for i, h := range r.answered.found.versions {
		ids[i] = h.Version
	}
	slices.Sort(ids)
	return ids
}
