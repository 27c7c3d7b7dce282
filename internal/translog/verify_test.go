package translog_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestRule41_WhateverIsRewrittenIsNamedByTheLog(t *testing.T) {
	const altered = "UPDATE activity_events SET %s WHERE log_index = 300"
	for name, c := range map[string]struct {
		statements []string
		first      int64
	}{
		"a leaf":                 {[]string{fmt.Sprintf(altered, "leaf = (SELECT leaf FROM activity_events WHERE log_index = 7)")}, 300},
		"a leaf and its hash":    {[]string{fmt.Sprintf(altered, "leaf = (SELECT leaf FROM activity_events WHERE log_index = 7), leaf_hash = (SELECT leaf_hash FROM activity_events WHERE log_index = 7), subject = (SELECT subject FROM activity_events WHERE log_index = 7), at = (SELECT at FROM activity_events WHERE log_index = 7)")}, 300},
		"what is shown of it":    {[]string{fmt.Sprintf(altered, "summary = 'nothing happened'")}, 300},
		"its result":             {[]string{fmt.Sprintf(altered, "result = 'FAILED'")}, 300},
		"who did it":             {[]string{"UPDATE activity_openings SET name = 'eve' WHERE event_id = (SELECT id FROM activity_events WHERE log_index = 300)"}, 300},
		"one is dropped":         {[]string{"DELETE FROM activity_openings WHERE event_id = (SELECT id FROM activity_events WHERE log_index = 301)", "DELETE FROM activity_events WHERE log_index = 301"}, 301},
		"the last is dropped":    {[]string{"DELETE FROM activity_openings WHERE event_id = (SELECT id FROM activity_events WHERE log_index = 699)", "DELETE FROM activity_events WHERE log_index = 699"}, 699},
		"two change places":      {[]string{"UPDATE activity_events SET log_index = 9999 WHERE log_index = 20", "UPDATE activity_events SET log_index = 20 WHERE log_index = 400", "UPDATE activity_events SET log_index = 400 WHERE log_index = 9999"}, 20},
		"a tile is truncated":    {[]string{"UPDATE log_tiles SET hashes = substr(hashes, 1, 320) WHERE level = 0 AND position = 1"}, 266},
		"a tile is gone":         {[]string{"DELETE FROM log_tiles WHERE level = 0 AND position = 2"}, 512},
		"a higher tile is gone":  {[]string{"DELETE FROM log_tiles WHERE level = 1"}, 0},
		"a checkpoint's root":    {[]string{"UPDATE log_checkpoints SET root = (SELECT root FROM log_checkpoints WHERE size = 100) WHERE size = 600"}, 100},
		"a checkpoint's promise": {[]string{"UPDATE log_checkpoints SET note = (SELECT note FROM log_checkpoints WHERE size = 100) WHERE size = 600"}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				for _, n := range []int{100, 500, 100} {
					w.many(n)
					w.integrate()
				}
				found, err := w.tree.Verify(auditor())
				if err != nil || found.Difference != nil || found.Events != 700 || found.Checkpoints != 3 {
					t.Fatalf("before anything was altered: %+v, %v", found, err)
				}
				testdb.MayChange(t, w.st, "activity_events", "log_tiles", "log_checkpoints")
				for _, s := range c.statements {
					w.exec(s)
				}
				found, err = w.tree.Verify(auditor())
				if err != nil || found.Difference == nil || found.Difference.LogIndex != c.first {
					t.Errorf("found %+v (%v), want %d", found.Difference, err, c.first)
				}
			})
		})
	}
}

func TestAnErasedPersonIsNoDifference(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.many(3)
	w.integrate()
	w.many(1)
	w.exec("DELETE FROM activity_openings")
	found, err := w.tree.Verify(auditor())
	if err != nil || found.Difference != nil || found.Events != 3 || found.Waiting != 1 {
		t.Errorf("found %+v (%v)", found, err)
	}
}

// BenchmarkLog appends PLIMSOLL_LEAVES events (a million without) on SQLite, and then proves and verifies.
func BenchmarkLog(b *testing.B) {
	leaves := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("PLIMSOLL_LEAVES")); err == nil {
		leaves = n
	}
	w := newWorld(b, testdb.SQLite(b))
	w.many(leaves)
	began := time.Now()
	w.integrate()
	each := float64(time.Since(began).Nanoseconds()) / float64(leaves)
	b.Run("append", func(b *testing.B) { b.ReportMetric(each, "ns/event") }) // in batches, with tiles, checkpoints and commits
	b.Run("prove", func(b *testing.B) {
		for i := range b.N {
			if _, err := w.tree.Inclusion(auditor(), i*7919%leaves); err != nil {
				b.Fatal(err)
			}
		}
	})
	began = time.Now()
	found, err := w.tree.Verify(auditor())
	took := time.Since(began)
	if err != nil || found.Difference != nil || found.Events != int64(leaves) {
		b.Fatalf("%+v, %v", found, err)
	}
	b.Run("verify", func(b *testing.B) { b.ReportMetric(took.Seconds(), "s") })
}
