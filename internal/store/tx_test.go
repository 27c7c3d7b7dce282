package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var errNo = errors.New("no")

func TestInTxIsAllOrNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(ctx context.Context, tx *db.Client) error
		want func(error) bool
	}{
		"an error undoes what was written before": {
			func(context.Context, *db.Client) error { return errNo },
			func(err error) bool { return errors.Is(err, errNo) },
		},
		"a second row that is not unique undoes the first": {
			func(ctx context.Context, tx *db.Client) error { return addProject(ctx, tx, "old") },
			store.IsUnique,
		},
		"a failure that is swallowed undoes everything": {
			func(ctx context.Context, tx *db.Client) error {
				_ = addProject(ctx, tx, "old")
				return nil
			},
			func(err error) bool { return err != nil },
		},
		"nothing runs after a failure": {
			func(ctx context.Context, tx *db.Client) error {
				_ = addProject(ctx, tx, "old")
				if addProject(ctx, tx, "other") == nil {
					return errors.New("a statement ran after one had failed")
				}
				return errNo
			},
			func(err error) bool { return errors.Is(err, errNo) },
		},
		"a failing update undoes everything": {
			func(ctx context.Context, tx *db.Client) error {
				_, _ = tx.ExecContext(ctx, "UPDATE no_such_table SET x = 1")
				return nil
			},
			func(err error) bool { return err != nil },
		},
		"a failing query undoes everything": {
			func(ctx context.Context, tx *db.Client) error {
				if rows, err := tx.QueryContext(ctx, "SELECT * FROM no_such_table"); err == nil {
					return rows.Close()
				}
				return nil
			},
			func(err error) bool { return err != nil },
		},
		"a reference to nothing undoes everything": {
			func(ctx context.Context, tx *db.Client) error {
				_, err := tx.Lifecycle.Create().SetName("x").SetEnforceOrder(true).SetProjectID(424242).SetCreatedAt(epoch).Save(ctx)
				return err
			},
			func(err error) bool { return db.IsConstraintError(err) && !store.IsUnique(err) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				s := testdb.Open(t, dsn)
				ctx := system(t)
				if err := s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, "old") }); err != nil {
					t.Fatal(err)
				}
				err := s.InTx(ctx, func(tx *db.Client) error {
					if err := addProject(ctx, tx, "new"); err != nil {
						return err
					}
					return c.fn(ctx, tx)
				})
				if !c.want(err) {
					t.Errorf("InTx returned %v", err)
				}
				if got := projects(t, s); !slices.Equal(got, []string{"old"}) {
					t.Errorf("projects are %v, want the old one alone", got)
				}
			})
		})
	}
}

func TestInTxReads(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		err := s.InTx(ctx, func(tx *db.Client) error {
			if err := addProject(ctx, tx, "mine"); err != nil {
				return err
			}
			if n := tx.Project.Query().CountX(ctx); n != 1 {
				t.Errorf("inside, %d of the transaction's own rows are seen", n)
			}
			if n := s.Read().Project.Query().CountX(ctx); n != 0 {
				t.Errorf("outside, %d rows are seen before the commit", n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			key := fmt.Sprintf("p%d", i)
			if err := s.InTx(ctx, func(tx *db.Client) error { return addProject(ctx, tx, key) }); err != nil {
				t.Fatal(err)
			}
			if !s.Read().Project.Query().Where(project.Key(key)).ExistX(ctx) {
				t.Fatalf("%s is not read after it was acknowledged", key)
			}
		}
	})
}

func TestManyReadOutsideWhileTheyWrite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				err := s.InTx(ctx, func(tx *db.Client) error {
					if _, err := s.Read().Project.Query().Count(ctx); err != nil {
						return err
					}
					return addProject(ctx, tx, fmt.Sprintf("p%d", i))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := projects(t, s); len(got) != 60 {
			t.Errorf("%d projects", len(got))
		}
	})
}

func TestNeighboursAreNotUndone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		const callers, rounds = 48, 8
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				for r := range rounds {
					key := fmt.Sprintf("p%d-%d", c, r)
					panicked, err := disturb(ctx, s, key, c%6)
					if c%6 < 3 && (err != nil || panicked != nil) {
						t.Errorf("%s: error %v, panic %v", key, err, panicked)
					}
					if c%6 >= 3 && err == nil && panicked == nil {
						t.Errorf("%s was acknowledged", key)
					}
				}
			})
		}
		all.Wait()
		got := projects(t, s)
		var want []string
		for c := range callers {
			for r := range rounds {
				if c%6 < 3 {
					want = append(want, fmt.Sprintf("p%d-%d", c, r))
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d rows are there, want exactly the %d acknowledged", len(got), len(want))
		}
	})
}

// disturb writes a row and then does what the mode says: 0 to 2 leave it at that, the others fail in their way.
func disturb(ctx context.Context, s *store.Store, key string, mode int) (panicked any, err error) {
	defer func() { panicked = recover() }()
	err = s.InTx(ctx, func(tx *db.Client) error {
		if err := addProject(ctx, tx, key); err != nil {
			return err
		}
		switch mode {
		case 3:
			return errNo
		case 4:
			panic("a defect in " + key)
		case 5:
			return addProject(ctx, tx, key)
		}
		return nil
	})
	return nil, err
}

func TestPanicReachesTheCaller(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		if panicked, _ := disturb(ctx, s, "p", 4); panicked != "a defect in p" {
			t.Errorf("the caller's panic is %v", panicked)
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = s.InTx(ctx, func(tx *db.Client) error {
				_ = addProject(ctx, tx, "goexit")
				runtime.Goexit() // what FailNow does
				return nil
			})
		}()
		<-gone
		if panicked, err := disturb(ctx, s, "next", 0); err != nil || panicked != nil {
			t.Errorf("the next transaction: error %v, panic %v", err, panicked)
		}
		if got := projects(t, s); !slices.Equal(got, []string{"next"}) {
			t.Errorf("projects are %v", got)
		}
	})
}

func TestDoneContextDoesNotStart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx, cancel := context.WithCancel(system(t))
		cancel()
		err := s.InTx(ctx, func(*db.Client) error {
			t.Error("the function ran")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("InTx returned %v", err)
		}
	})
}

func TestCancelWhileWaitingForTheWriterDoesNotStart(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	ctx, cancel := context.WithCancel(system(t))
	inside, waits := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := s.InTx(system(t), func(tx *db.Client) error {
			close(inside)
			<-waits
			cancel()
			return addProject(system(t), tx, "first")
		})
		if err != nil {
			t.Errorf("the first: %v", err)
		}
	})
	<-inside
	all.Go(func() {
		close(waits) // this goroutine is about to wait; if it is late, ctx is done already, with the same result
		err := s.InTx(ctx, func(*db.Client) error {
			t.Error("the second ran")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the second: %v", err)
		}
	})
	all.Wait()
	if got := projects(t, s); !slices.Equal(got, []string{"first"}) {
		t.Errorf("projects are %v", got)
	}
}

func TestCancelHalfWayDoesNotUndoNeighbours(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	const callers = 600 // more than share one commit
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			ctx, cancel := context.WithCancel(system(t))
			defer cancel()
			err := s.InTx(ctx, func(tx *db.Client) error {
				if err := addProject(ctx, tx, fmt.Sprintf("a%d", i)); err != nil {
					return err
				}
				cancel()
				return addProject(ctx, tx, fmt.Sprintf("b%d", i))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := projects(t, s); len(got) != 2*callers {
		t.Errorf("%d projects of %d", len(got), 2*callers)
	}
}

func TestCancelHalfWayOnPostgresUndoesTheTransaction(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Postgres")
	}
	s := testdb.Open(t, testdb.Postgres(t))
	ctx, cancel := context.WithCancel(system(t))
	err := s.InTx(ctx, func(tx *db.Client) error {
		if err := addProject(ctx, tx, "a"); err != nil {
			return err
		}
		cancel()
		return addProject(ctx, tx, "b")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("InTx returned %v", err)
	}
	if got := projects(t, s); len(got) != 0 {
		t.Errorf("projects are %v", got)
	}
}

func TestClientMustNotOutliveItsTransaction(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := system(t)
		var leaked *db.Client
		if err := s.InTx(ctx, func(tx *db.Client) error { leaked = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := addProject(ctx, leaked, "late"); err == nil {
			t.Error("a write after the end succeeded")
		}
		// On SQLite the connection is shared: the late client must not write into another caller's transaction.
		err := s.InTx(ctx, func(*db.Client) error {
			if err := addProject(ctx, leaked, "late"); err == nil {
				t.Error("a write into another transaction succeeded")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if got := projects(t, s); len(got) != 0 {
			t.Errorf("projects are %v", got)
		}
	})
}

func TestIsUnique(t *testing.T) {
	for name, err := range map[string]error{"nothing": nil, "an ordinary error": errNo, "not found": &db.NotFoundError{}} {
		if store.IsUnique(err) {
			t.Errorf("%s counts as not unique", name)
		}
	}
}
