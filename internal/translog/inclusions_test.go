package translog_test

import (
	"context"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// TestRule41_ManyEventsAreProvenAgainstOneCheckpoint: with as many statements of SQL as one.
func TestRule41_ManyEventsAreProvenAgainstOneCheckpoint(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if _, _, err := w.tree.Inclusions(auditor(), nil); err == nil {
			t.Error("a log without a checkpoint proves something")
		}
		w.many(700)
		w.integrate()
		indexes := []int{0, 255, 256, 300, 511, 512, 699, 3}
		checkpoint, proofs, err := w.tree.Inclusions(auditor(), indexes)
		if err != nil {
			t.Fatal(err)
		}
		newest, err := w.tree.Checkpoint(auditor())
		if err != nil || string(newest) != string(checkpoint) || len(proofs) != len(indexes) {
			t.Fatalf("%d proofs against %s, %v", len(proofs), checkpoint, err)
		}
		row := w.st.Read().LogCheckpoint.Query().OnlyX(auditor())
		tree := tlog.Tree{Size: row.Size, Root: tlog.Hash(row.Root)}
		for n, i := range indexes {
			e := w.st.Read().ActivityEvent.Query().Where(activityevent.LogIndex(i)).OnlyX(auditor())
			p, err := tlog.ParseProof(proofs[n].Text())
			if err != nil || p.Index != int64(i) || string(p.Checkpoint) != string(checkpoint) {
				t.Fatalf("the proof of %d is %+v, %v", i, p, err)
			}
			if err := p.Includes(tlog.LeafHash(e.Leaf), tree); err != nil {
				t.Error(err)
			}
		}
		for _, outside := range []int{-1, 700} {
			if _, _, err := w.tree.Inclusions(auditor(), []int{0, outside}); err == nil {
				t.Errorf("event %d is proven", outside)
			}
		}
		count := func(indexes ...int) int {
			return len(testdb.Plans(auditor(), t, dsn, func(ctx context.Context) error {
				_, _, err := w.tree.Inclusions(ctx, indexes)
				return err
			}))
		}
		if one, all := count(0), count(indexes...); one != all || one > 4 {
			t.Errorf("%d statements of SQL for one event, %d for all", one, all)
		}
	})
}
