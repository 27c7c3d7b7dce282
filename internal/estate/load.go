package estate

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// Services are those that an estate is loaded through.
type Services struct {
	Catalog         *catalog.Service
	Versions        *version.Service
	Evidence        *evidence.Service
	Releases        *release.Service
	Deployments     *deployment.Service
	Vulnerabilities *vulnerability.Service
	// Now tells the time, by which each step is measured.
	Now func() time.Time
}

// callers is how many at once make what is one small transaction each: they share commits.
const callers = 32

// Step is one part of the work.
type Step struct {
	Name  string
	Count int
	Took  time.Duration
}

// PerSecond is how many were made in a second.
func (s Step) PerSecond() float64 { return float64(s.Count) / max(s.Took.Seconds(), 1e-9) }

// Loaded is what was done, and what to ask about. The vulnerability of each target is imported by itself, the last steps.
type Loaded struct {
	Steps    []Step
	Targets  []Target
	Versions int
	// PeakMemory is the most that the process had resident, in bytes; 0 where the system does not tell.
	PeakMemory int64
}

// loader is one run.
type loader struct {
	Services
	shape Shape
	pool  pool
	draws sampler
	told  func(Step)
	out   Loaded
	total *tally
}

// Load makes an estate and loads it, as whoever acts in ctx: an organisation admin. The database must hold nothing of the
// same names. Told is called after each step.
func Load(ctx context.Context, to Services, shape Shape, told func(Step)) (*Loaded, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	l := &loader{Services: to, shape: shape, told: told, total: newTally(shape.Pool)}
	l.pool, l.draws = newPool(shape), newSampler(shape.Pool, shape.Zipf)
	for _, step := range []struct {
		name string
		run  func(context.Context) (int, error)
	}{
		{"applications", l.loadApplications},
		{"component edges", l.loadBills},
		{"versions", l.loadVersions},
		{"promotions and deployments", l.loadMoves},
		{"advisories", l.loadAdvisories},
	} {
		if err := l.step(ctx, step.name, step.run); err != nil {
			return nil, err
		}
	}
	for _, t := range l.out.Targets {
		err := l.step(ctx, "advisory of what is in "+t.Name, func(ctx context.Context) (int, error) {
			return 1, l.importAll(ctx, []string{l.pool.components[t.component].osv(t.Vulnerability, "A flaw in what is in "+t.Name)})
		})
		if err != nil {
			return nil, err
		}
	}
	l.out.Versions, l.out.PeakMemory = shape.Applications*shape.Versions, peakMemory()
	return &l.out, nil
}

func (l *loader) step(ctx context.Context, name string, run func(context.Context) (int, error)) error {
	began := l.Now()
	n, err := run(ctx)
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	s := Step{name, n, l.Now().Sub(began)}
	l.out.Steps = append(l.out.Steps, s)
	l.told(s)
	return nil
}

// each calls fn for every application, at most so many at a time.
func (l *loader) each(ctx context.Context, atOnce int, fn func(ctx context.Context, application int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for a := range l.shape.Applications {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return fn(ctx, a) })
	}
	return group.Wait()
}

func projectKey(application int) string { return fmt.Sprintf("project-%03d", application/perProject) }

func applicationKey(application int) string { return fmt.Sprintf("app-%05d", application) }

func artifactName(application, line int) string {
	return fmt.Sprintf("%s-service-%d", applicationKey(application), line)
}

func versionName(v int) string { return fmt.Sprintf("1.%d.0", v) }

// inProduction tells which version of an application runs, and inDevelopment which is on its way: -1 when none is.
func (s Shape) inProduction() int { return max(0, s.Versions-2) }

func (s Shape) inDevelopment() int {
	if s.Versions == 1 {
		return -1
	}
	return s.Versions - 1
}

// loadBills pushes a bill of materials for every revision of every artifact, and counts which versions hold what.
func (l *loader) loadBills(ctx context.Context) (int, error) {
	apps := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(apps)
		for a := range l.shape.Applications {
			select {
			case apps <- a:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var mu sync.Mutex
	edges := 0
	for range runtime.GOMAXPROCS(0) + 1 {
		group.Go(func() error {
			p := &pusher{loader: l, tally: newTally(l.shape.Pool)}
			for a := range apps {
				if err := p.application(ctx, a); err != nil {
					return err
				}
			}
			err := p.flush(ctx)
			mu.Lock()
			defer mu.Unlock()
			edges += p.edges
			l.total.add(p.tally)
			return err
		})
	}
	err := group.Wait()
	l.out.Targets = l.total.targets(l.pool, l.shape.Applications*l.shape.Versions)
	return edges, err
}
