package translog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// remembering makes the world remember checkpoints in a file, which it returns.
func (w *world) remembering() string {
	path := filepath.Join(w.tb.TempDir(), "log.checkpoint")
	w.tree.WithMemory(path)
	return path
}

// putBack makes the database what it was when the log had so many events: a backup that is put back.
func (w *world) putBack(size int) {
	w.tb.Helper()
	w.exec("DELETE FROM log_checkpoints WHERE size > $1", size)
	w.exec("DELETE FROM activity_openings WHERE event_id IN (SELECT id FROM activity_events WHERE log_index >= $1 OR log_index IS NULL)", size)
	w.exec("DELETE FROM activity_events WHERE log_index >= $1 OR log_index IS NULL", size)
	w.exec(fmt.Sprintf("UPDATE log_tiles SET hashes = substr(hashes, 1, %d)", size*32))
}

func sizeIn(tb testing.TB, path string) string {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(string(b), "\n")[1]
}

func TestRule41_TheNewestCheckpointIsRememberedOutsideTheDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		path := w.remembering()
		w.many(5)
		w.integrate()
		if got := sizeIn(t, path); got != "5" {
			t.Errorf("it remembers %s events", got)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v (%v)", info, err)
		}
		other := server(t, dsn, w.key)
		others := other.remembering()
		if err := other.tree.CheckMemory(auditor()); err != nil || sizeIn(t, others) != "5" {
			t.Errorf("another server does not remember what it sees: %v", err)
		}
		// A server that was killed between its commit and the file, and one that sees what another integrated.
		w.many(300)
		w.integrate()
		if err := other.tree.CheckMemory(auditor()); err != nil || sizeIn(t, others) != "305" {
			t.Errorf("a file that is older than the database: %v", err)
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "log.checkpoint.*"))
		if err != nil || len(left) != 0 {
			t.Errorf("it leaves %v", left)
		}
		if done, err := w.tree.Accept(auditor()); err != nil || done.Kept != "" || done.Before != done.After {
			t.Errorf("there is something to accept: %+v, %v", done, err)
		}
	})
}

func TestRule41_ABackupThatIsPutBackIsRefusedUntilItIsAccepted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		path := w.remembering()
		w.many(5)
		w.integrate()
		w.many(4)
		w.integrate()
		testdb.MayChange(t, w.st, "activity_events", "log_tiles", "log_checkpoints")
		w.putBack(5)
		for name, err := range w.refusals() {
			if err == nil || !strings.Contains(err.Error(), "5 events") || !strings.Contains(err.Error(), "with 9") || !strings.Contains(err.Error(), "plimsoll log accept") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if found, err := w.tree.Verify(auditor()); err != nil || found.Difference == nil || found.Difference.LogIndex != 5 {
			t.Errorf("verify finds %+v (%v)", found, err)
		}
		done, err := w.tree.Accept(auditor())
		if err != nil || done.Kept != path+".9" || sizeIn(t, path) != "5" || sizeIn(t, done.Kept) != "9" {
			t.Fatalf("%+v, %v", done, err)
		}
		w.many(8)
		w.integrate()
		w.whole(14)
		w.putBack(5) // once more
		if done, err := w.tree.Accept(auditor()); err != nil || done.Kept != path+".14" {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

// refusals are what the service says at the start, and when it would make the tree longer.
func (w *world) refusals() map[string]error {
	atStart := w.tree.CheckMemory(auditor())
	before := w.st.Read().LogCheckpoint.Query().CountX(auditor())
	w.many(1)
	_, integrating := w.tree.Integrate(auditor())
	if w.st.Read().LogCheckpoint.Query().CountX(auditor()) != before {
		w.tb.Error("the tree became longer")
	}
	return map[string]error{"at the start": atStart, "when integrating": integrating}
}

func TestRule41_AHistoryThatWasWrittenAnewIsRefused(t *testing.T) {
	for _, size := range []int{600, 601, 900} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				path := w.remembering()
				w.many(200)
				w.integrate()
				w.many(400)
				w.integrate()
				testdb.MayChange(t, w.st, "activity_events", "log_tiles", "log_checkpoints")
				w.putBack(200)
				// Whoever has the key goes on from an older state elsewhere, and brings the database here.
				elsewhere := server(t, dsn, w.key)
				elsewhere.many(size - 200)
				elsewhere.integrate()
				for name, err := range w.refusals() {
					if err == nil || !strings.Contains(err.Error(), fmt.Sprint(size, " events")) || !strings.Contains(err.Error(), "written anew") {
						t.Errorf("%s: %v", name, err)
					}
				}
				if found, err := w.tree.Verify(auditor()); err != nil || found.Difference == nil || found.Difference.LogIndex > 200 {
					t.Errorf("verify finds %+v (%v)", found.Difference, err)
				}
				if done, err := w.tree.Accept(auditor()); err != nil || done.Kept != path+".600" {
					t.Errorf("%+v, %v", done, err)
				}
				w.integrate()
				w.whole(size + 1)
			})
		})
	}
}

func TestAnotherDatabaseIsNotTakenForTheLog(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		empty := w.remembering()
		if err := w.tree.CheckMemory(auditor()); err != nil {
			t.Errorf("an empty log: %v", err)
		}
		if _, err := os.Stat(empty); err == nil {
			t.Error("there is something to remember of an empty log")
		}
		other := newWorld(t, testdb.SQLite(t))
		other.many(3)
		path := other.remembering()
		other.integrate()
		same := server(t, dsn, other.key)
		same.tree.WithMemory(path)
		if err := same.tree.CheckMemory(auditor()); err == nil || !strings.Contains(err.Error(), "0 events") {
			t.Errorf("an empty database: %v", err)
		}
		w.tree.WithMemory(path)
		if err := w.tree.CheckMemory(auditor()); err == nil || !strings.Contains(err.Error(), "key") {
			t.Errorf("the memory of another log: %v", err)
		}
		if done, err := same.tree.Accept(auditor()); err != nil || done.After != "" || done.Kept != path+".3" {
			t.Errorf("%+v, %v", done, err)
		}
		if err := same.tree.CheckMemory(auditor()); err != nil {
			t.Error(err)
		}
	})
}
