package translog_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// whole fails unless every event is in the tree exactly once and the newest checkpoint is of the tree of their leaves.
func (w *world) whole(want int) {
	w.tb.Helper()
	rows := w.st.Read().ActivityEvent.Query().Order(db.Asc(activityevent.FieldLogIndex)).AllX(auditor())
	if len(rows) != want {
		w.tb.Fatalf("there are %d events, want %d", len(rows), want)
	}
	var hashes []sumdb.Hash
	read := sumdb.HashReaderFunc(func(at []int64) ([]sumdb.Hash, error) {
		out := make([]sumdb.Hash, len(at))
		for i, p := range at {
			out[i] = hashes[p]
		}
		return out, nil
	})
	for i, r := range rows {
		if r.LogIndex == nil || *r.LogIndex != i {
			w.tb.Fatalf("event %d of the log has index %v", i, r.LogIndex)
		}
		stored, err := sumdb.StoredHashes(int64(i), r.Leaf, read)
		if err != nil {
			w.tb.Fatal(err)
		}
		hashes = append(hashes, stored...)
	}
	root, err := sumdb.TreeHash(int64(want), read)
	if err != nil {
		w.tb.Fatal(err)
	}
	for i, r := range rows {
		if i > 40 && i < want-40 {
			continue
		}
		p, err := w.tree.Inclusion(auditor(), i)
		if err != nil {
			w.tb.Fatal(err)
		}
		if string(p.LeafHash[:]) != string(r.LeafHash) || p.TreeSize != int64(want) || !strings.Contains(p.Checkpoint, "\n"+root.String()+"\n") {
			w.tb.Fatalf("the proof of event %d is of another leaf or tree", i)
		}
		if err := sumdb.CheckRecord(p.Hashes, p.TreeSize, root, int64(i), p.LeafHash); err != nil {
			w.tb.Fatalf("event %d: %v", i, err)
		}
	}
	for _, from := range []int{1, want/2 + 1, want} {
		p, err := w.tree.Consistency(auditor(), from, nil)
		if err != nil || p.ToRoot != root || p.Checkpoint == nil {
			w.tb.Fatalf("consistency of %d: %v", from, err)
		}
		if err := sumdb.CheckTree(p.Hashes, p.To, p.ToRoot, p.From, p.FromRoot); err != nil {
			w.tb.Fatal(err)
		}
	}
}

func TestRule40_EveryCommittedEventHasOneLeafAndNoOtherHasOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		ctx, stop := context.WithCancel(auditor())
		servers := []*world{w}
		if strings.HasPrefix(dsn, "postgres") { // two servers on one database
			servers = append(servers, server(t, dsn, w.key))
		}
		var running, writing sync.WaitGroup
		for _, s := range servers {
			running.Go(func() { s.tree.Run(ctx, slog.New(slog.DiscardHandler)) })
			for writer := range 4 {
				writing.Go(func() {
					for i := range 40 {
						s.happen(fmt.Sprint(writer, i), i%3 == 0)
					}
				})
			}
		}
		writing.Wait()
		deadline := time.Now().Add(5 * time.Second)
		for w.st.Read().ActivityEvent.Query().Where(activityevent.LogIndexIsNil()).ExistX(auditor()) {
			if time.Now().After(deadline) {
				t.Fatal("events are not in the tree after five seconds")
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		running.Wait()
		w.whole(len(servers) * 4 * 26)
	})
}

func TestRule40_AnEventThatIsCommittedLateHasALaterPlaceThanItsId(t *testing.T) {
	dsn := testdb.Postgres(t)
	w := newWorld(t, dsn)
	begun, committed := make(chan struct{}), make(chan struct{})
	var late sync.WaitGroup
	late.Go(func() {
		err := w.st.InTx(auditor(), func(tx *db.Client) error {
			err := w.events.Append(auditor(), tx, tokenCreated("late"))
			close(begun)
			<-committed
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	w.happen("early", false)
	w.integrate()
	close(committed)
	late.Wait()
	w.integrate()
	w.whole(2)
	first := w.st.Read().ActivityEvent.Query().Where(activityevent.LogIndex(0)).OnlyX(auditor())
	second := w.st.Read().ActivityEvent.Query().Where(activityevent.LogIndex(1)).OnlyX(auditor())
	if first.Subject != "early" || second.ID > first.ID {
		t.Errorf("%s (%d) came first, then %s (%d)", first.Subject, first.ID, second.Subject, second.ID)
	}
}

func TestRule41_ALogOfManyEventsIsServedInTilesAndBundles(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many(3000)
		w.integrate()
		w.many(5)
		w.integrate()
		w.whole(3005)
		for path, bytes := range map[string]int{"0/000": 8192, "0/011.p/189": 189 * 32, "0/011.p/7": 7 * 32, "1/000.p/11": 11 * 32} {
			if b, err := w.tree.Tile(context.Background(), path); err != nil || len(b) != bytes {
				t.Errorf("tile %s has %d bytes (%v)", path, len(b), err)
			}
		}
		for _, path := range []string{"0/012", "0/011", "0/011.p/190", "1/000", "2/000", "x", "entries/000"} {
			if _, err := w.tree.Tile(context.Background(), path); !isFault(err, fault.NotFound) {
				t.Errorf("tile %s: %v", path, err)
			}
		}
		tile, err := w.tree.Tile(context.Background(), "0/011.p/189")
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := w.tree.Entries(auditor(), "011.p/189")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 189 {
			n := int(binary.BigEndian.Uint16(bundle))
			if h := tlog.LeafHash(bundle[2 : 2+n]); string(h[:]) != string(tile[i*32:i*32+32]) {
				t.Fatalf("leaf %d of the bundle is not that of the tile", i)
			}
			bundle = bundle[2+n:]
		}
		if len(bundle) != 0 {
			t.Errorf("%d bytes are left of the bundle", len(bundle))
		}
		if _, err := w.tree.Entries(auditor(), "011"); !isFault(err, fault.NotFound) {
			t.Errorf("a bundle that is not full: %v", err)
		}
	})
}

func isFault(err error, kind fault.Kind) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == kind
}

func TestRule45_LeavesAreForThoseWhoSeeTheWholeOrganisation(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.happen("x", false)
	w.integrate()
	for _, allowed := range []context.Context{auditor(), as(auth.OrganisationAdmin, auth.Organisation)} {
		if _, err := w.tree.Entries(allowed, "000.p/1"); err != nil {
			t.Error(err)
		}
	}
	for _, refused := range []context.Context{as(auth.Auditor, 1), as(auth.ProjectAdmin, 1), as(auth.Viewer, auth.Organisation)} {
		if _, err := w.tree.Entries(refused, "000.p/1"); !isFault(err, fault.Forbidden) {
			t.Errorf("leaves are read: %v", err)
		}
	}
	if _, err := w.tree.Entries(context.Background(), "000.p/1"); !isFault(err, fault.Unauthenticated) {
		t.Errorf("nobody reads leaves: %v", err)
	}
}

func TestWhatTheLogDoesNotHaveIsRefused(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	if _, err := w.tree.Checkpoint(auditor()); !isFault(err, fault.NotFound) {
		t.Errorf("an empty log's checkpoint: %v", err)
	}
	if _, err := w.tree.Inclusion(auditor(), 0); !isFault(err, fault.NotFound) {
		t.Errorf("an empty log's proof: %v", err)
	}
	if _, err := w.tree.Consistency(auditor(), 1, nil); !isFault(err, fault.BadInput) {
		t.Errorf("an empty log's consistency: %v", err)
	}
	w.many(3)
	w.integrate()
	for _, index := range []int{-1, 3} {
		if _, err := w.tree.Inclusion(auditor(), index); !isFault(err, fault.NotFound) {
			t.Errorf("a proof of %d: %v", index, err)
		}
	}
	for _, sizes := range [][2]int{{0, 2}, {3, 2}, {1, 4}, {1, 0}, {-1, -1}} {
		if _, err := w.tree.Consistency(auditor(), sizes[0], &sizes[1]); !isFault(err, fault.BadInput) {
			t.Errorf("consistency of %v: %v", sizes, err)
		}
	}
	if p, err := w.tree.Consistency(auditor(), 1, new(2)); err != nil || p.Checkpoint != nil {
		t.Errorf("at a size that nobody signed: %+v, %v", p, err)
	}
}

func TestRule41_AServerWithAnotherKeyDoesNotGoOnWithTheLog(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.happen("x", false)
		w.integrate()
		other := server(t, dsn, filepath.Join(t.TempDir(), "log.key"))
		w.happen("y", false)
		if _, err := other.tree.Integrate(auditor()); err == nil || !strings.Contains(err.Error(), "another key") {
			t.Errorf("it goes on: %v", err)
		}
		w.integrate()
		w.whole(2)
	})
}

// TestTheLogGoesOnWhileItsKeyIsReplaced takes the steps of docs/log.md, with an event between them.
func TestTheLogGoesOnWhileItsKeyIsReplaced(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		older := keyLine(t, w.key)
		oldKey := w.tree.Keys()
		newer := keyLine(t, newWorld(t, testdb.SQLite(t)).key)
		memory := w.remembering()
		w.many(3)
		w.integrate()
		var keys string
		for step, lines := range [][]string{{newer, older}, {newer, oldKey}, {newer}} {
			next := server(t, dsn, keyFile(t, lines...))
			next.tree.WithMemory(memory)
			if err := next.tree.CheckMemory(auditor()); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			next.many(2)
			next.integrate()
			next.whole(5 + 2*step)
			if keys = next.tree.Keys(); len(strings.Split(keys, "\n")) != len(lines) {
				t.Errorf("step %d: the keys are %s", step, keys)
			}
			found, err := next.tree.Verify(auditor())
			if err != nil || (found.Difference == nil) != (len(lines) == 2) {
				t.Errorf("step %d: verify finds %+v (%v)", step, found.Difference, err) // nobody knows the old key at the end
			}
		}
		w.many(1)
		if _, err := w.tree.Integrate(auditor()); err == nil || !strings.Contains(err.Error(), "key") {
			t.Errorf("a server that knows the old key alone goes on: %v", err)
		}
	})
}

func keyLine(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.key")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
