package translog_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// BenchmarkLogBesideAMutation says what a small mutation takes while its events go into the tree, with the file of the newest
// checkpoint, beside what it takes while they wait. The two take turns, so that a machine that becomes slower is slower for
// both; what is told is the median of the rounds.
func BenchmarkLogBesideAMutation(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, clients := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", database, clients), func(b *testing.B) {
				dsn := testdb.SQLite
				if database == "postgres" {
					dsn = testdb.Postgres
				}
				w := newWorld(b, dsn(b))
				w.tree.WithMemory(filepath.Join(b.TempDir(), "log.checkpoint"))
				mutations := mutating(b, w)
				mutations(clients, 500) // pages, caches, and the growth of files
				const rounds, each = 15, 400
				var waiting, integrating []float64
				for range rounds {
					w.integrate()
					off := mutations(clients, each)
					w.integrate()
					ctx, stop := context.WithCancel(auditor())
					var running sync.WaitGroup
					running.Go(func() { w.tree.Run(ctx, slog.New(slog.DiscardHandler)) })
					on := mutations(clients, each)
					stop()
					running.Wait()
					waiting, integrating = append(waiting, off), append(integrating, on)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(waiting), "µs/waiting")
				b.ReportMetric(median(integrating), "µs/integrating")
				b.ReportMetric(100*(median(integrating)/median(waiting)-1), "%more")
			})
		}
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// mutating gives what makes so many projects by so many callers, and tells how many microseconds went by for each.
func mutating(b *testing.B, w *world) func(clients, n int) float64 {
	b.Helper()
	projects := catalog.New(w.st, w.events, func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) })
	ctx := as(auth.OrganisationAdmin, auth.Organisation)
	var made atomic.Int64
	return func(clients, n int) float64 {
		var calling sync.WaitGroup
		began := time.Now()
		for range clients {
			calling.Go(func() {
				for range n / clients {
					key := fmt.Sprint("p", made.Add(1))
					if _, err := projects.CreateProject(ctx, catalog.CreateProjectInput{Key: key, Name: "A project"}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		calling.Wait()
		return float64(time.Since(began).Microseconds()) / float64(n)
	}
}
