package store_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// childVariable makes this test program acknowledge rows in the database that it names until it is killed.
const childVariable = "PLIMSOLL_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childVariable); dsn != "" {
		acknowledgeUntilKilled(dsn)
	}
	os.Exit(m.Run())
}

// acknowledgeUntilKilled writes rows from many goroutines and prints the key of each once it is acknowledged.
func acknowledgeUntilKilled(dsn string) {
	ctx := auth.System(context.Background())
	s, err := store.Open(ctx, dsn, quiet)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var n atomic.Int64
	for range 16 {
		go func() {
			for {
				key := fmt.Sprintf("p%d", n.Add(1))
				if err := s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, key) }); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(key + "\n") // one write a line: lines do not mix
			}
		}()
	}
	select {}
}

// It shows that nothing is acknowledged before the commit. That the commit itself waits for the disk cannot be shown by
// killing a process: for that the settings are read (TestSQLiteFile).
func TestAcknowledgedSurvivesKill(t *testing.T) {
	dsn := testdb.SQLite(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program)
	child.Env = append(os.Environ(), childVariable+"="+dsn)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		acknowledged = append(acknowledged, lines.Text())
		if len(acknowledged) == 500 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // ends with "killed"
	if len(acknowledged) < 500 {
		t.Fatalf("the child ended after %d rows", len(acknowledged))
	}
	there := projects(t, testdb.Open(t, dsn))
	for _, key := range acknowledged {
		if _, found := slices.BinarySearch(there, key); !found {
			t.Errorf("%s was acknowledged and is lost", key)
		}
	}
}

// A disk that fills up makes SQLite undo the transaction that all callers share.
func TestFullDiskLosesNothingAcknowledgedAndKeepsNothingElse(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	ctx := system(t)
	limit := func(pages int) {
		err := s.InTx(ctx, func(tx *db.Client) error {
			rows, err := tx.QueryContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			if err != nil {
				return err
			}
			rows.Next()
			return rows.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(400)
	var mu sync.Mutex
	kept, refused := map[string]bool{}, 0
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 12 {
				content := make([]byte, 8000)
				rand.Read(content)
				var first, second string
				err := s.InTx(ctx, func(tx *db.Client) (err error) {
					if first, err = store.PutBlob(ctx, tx, content[:4000]); err != nil {
						return err
					}
					second, err = store.PutBlob(ctx, tx, content[4000:])
					return err
				})
				mu.Lock()
				if err != nil {
					refused++
				} else {
					kept[first], kept[second] = true, true
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if refused == 0 || len(kept) == 0 {
		t.Fatalf("the disk did not fill up half way: %d kept, %d refused", len(kept), refused)
	}
	there, err := s.Read().Blob.Query().Select(blob.FieldDigest).Strings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range there {
		if !kept[digest] {
			t.Errorf("%s is there although its transaction failed", digest)
		}
		delete(kept, digest)
	}
	if len(kept) != 0 {
		t.Errorf("%d acknowledged blobs are lost", len(kept))
	}
	limit(100_000)
	if err := s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, "after") }); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// SQLite may undo the transaction that all callers share, as it does on some failures of the disk. "OR ROLLBACK" makes it.
func TestTransactionThatSQLiteGivesUpIsLostForAllAndKeptForNone(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	ctx := system(t)
	if err := s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, "first") }); err != nil {
		t.Fatal(err)
	}
	giveUp := func(tx *db.Client) {
		rows, err := tx.QueryContext(ctx, "INSERT OR ROLLBACK INTO projects (key, name, created_at) VALUES ('first', '', '') RETURNING id")
		if err == nil {
			rows.Next() // the failure may show here, where a caller overlooks it
			_ = rows.Close()
		}
	}
	var mu sync.Mutex
	want := []string{"first"}
	var all sync.WaitGroup
	for c := range 48 {
		all.Go(func() {
			for r := range 6 {
				key := fmt.Sprintf("p%d-%d", c, r)
				err := s.InTx(ctx, func(tx *db.Client) error {
					if c%8 == 0 {
						giveUp(tx)
					}
					_ = addProject(ctx, tx, key) // would commit by itself
					return nil
				})
				if c%8 == 0 && err == nil {
					t.Errorf("%s was acknowledged", key)
				}
				if err == nil {
					mu.Lock()
					want = append(want, key)
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	slices.Sort(want)
	got := projects(t, s)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d rows are there, want exactly the %d acknowledged", len(got), len(want))
	}
}

func TestSQLiteLeavesNoFilesBeside(t *testing.T) {
	dsn := testdb.SQLite(t)
	s, err := store.Open(t.Context(), dsn, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(dsn, "sqlite:")
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1 {
		t.Errorf("after closing there are %v, error %v", files, err)
	}
}
