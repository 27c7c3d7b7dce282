package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// databases runs a benchmark on SQLite, and on Postgres where there is a server.
func databases(b *testing.B, fn func(b *testing.B, dsn string)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, testdb.SQLite(b)) })
	if !testing.Short() {
		b.Run("postgres", func(b *testing.B) { fn(b, testdb.Postgres(b)) })
	}
}

// callers divides b.N among n goroutines.
func callers(b *testing.B, n int, fn func(i int64) error) {
	b.Helper()
	var next atomic.Int64
	done := make(chan error, n)
	b.ResetTimer()
	for range n {
		go func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					done <- nil
					return
				}
				if err := fn(i); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range n {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkInTx measures durable transactions of one row each.
func BenchmarkInTx(b *testing.B) {
	databases(b, func(b *testing.B, dsn string) {
		s := testdb.Open(b, dsn)
		ctx := system(b)
		var n atomic.Int64
		for _, c := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("ent/callers=%d", c), func(b *testing.B) {
				callers(b, c, func(int64) error {
					key := fmt.Sprintf("p%d", n.Add(1))
					return s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, key) })
				})
			})
			b.Run(fmt.Sprintf("sql/callers=%d", c), func(b *testing.B) {
				callers(b, c, func(int64) error {
					key := fmt.Sprintf("p%d", n.Add(1))
					return s.InTx(ctx, func(tx *db.Client) error { return insertProject(ctx, tx, key) })
				})
			})
		}
	})
}

// BenchmarkCommitEach is what BenchmarkInTx is compared with: a commit for every row, without ent.
func BenchmarkCommitEach(b *testing.B) {
	databases(b, func(b *testing.B, dsn string) {
		testdb.Open(b, dsn) // for the tables
		if dsn[0] == 's' {
			dsn += "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_txlock=immediate"
		}
		pool := plainPool(b, dsn)
		for _, c := range []int{1, 64} {
			pool.SetMaxOpenConns(min(c, 12))
			if dsn[0] == 's' {
				pool.SetMaxOpenConns(1)
			}
			var n atomic.Int64
			b.Run(fmt.Sprintf("callers=%d", c), func(b *testing.B) {
				callers(b, c, func(int64) error {
					_, err := pool.Exec("INSERT INTO projects (key, name, created_at) VALUES ($1, $2, $3)", fmt.Sprintf("p%d-%d", c, n.Add(1)), "n", epoch)
					return err
				})
			})
		}
	})
}

// BenchmarkRead measures a look-up by a unique key, for the service and for a viewer.
func BenchmarkRead(b *testing.B) {
	databases(b, func(b *testing.B, dsn string) {
		s := testdb.Open(b, dsn)
		w := newWorld(b, s)
		for name, ctx := range map[string]context.Context{"all": w.ctx, "viewer": grant(b.Context(), 0, w.a)} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Read().Application.Get(ctx, w.rows["Application"]["a"][0]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkPutBlob measures keeping a document of 64 KiB that is new, and one that is there.
func BenchmarkPutBlob(b *testing.B) {
	s := testdb.Open(b, testdb.SQLite(b))
	content := make([]byte, 64<<10)
	for i := range content {
		content[i] = "plimsoll line "[i%14]
	}
	for _, fresh := range []bool{true, false} {
		b.Run(fmt.Sprintf("new=%v", fresh), func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			stamp := time.Now().UnixNano()
			for i := 0; b.Loop(); i++ {
				if fresh {
					copy(content, fmt.Sprintf("%d-%d", stamp, i))
				}
				if err := s.InTx(system(b), func(tx *db.Client) error {
					_, err := store.PutBlob(system(b), tx, content)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func insertProject(ctx context.Context, tx *db.Client, key string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO projects (key, name, created_at) VALUES ($1, $2, $3)", key, key, epoch)
	return err
}
