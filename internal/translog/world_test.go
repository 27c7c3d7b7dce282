package translog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

var errUndo = errors.New("undo this")

// world is a log and its tree.
type world struct {
	tb     testing.TB
	dsn    string
	st     *store.Store
	events *activity.Log
	tree   *translog.Service
	key    string
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	return server(tb, dsn, filepath.Join(tb.TempDir(), "log.key"))
}

// server opens the database as one more server does.
func server(tb testing.TB, dsn, key string) *world {
	tb.Helper()
	signer, _, err := tlog.LoadOrCreateSigner(key, "log.example.test")
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{tb: tb, dsn: dsn, st: testdb.Open(tb, dsn), key: key}
	// As precise as both databases keep instants.
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	w.events = activity.New(w.st, now)
	w.tree = translog.New(w.st, w.events, signer, now)
	return w
}

// as is somebody with a role on the organisation, or on a project.
func as(role auth.Role, project int) context.Context {
	return auth.With(context.Background(), auth.Principal{Name: "ada", Grants: []auth.Grant{{Role: role, Project: project}}})
}

func auditor() context.Context { return as(auth.Auditor, auth.Organisation) }

// happen writes an event, and undoes it when so told.
func (w *world) happen(subject string, undone bool) {
	err := w.st.InTx(auditor(), func(tx *db.Client) error {
		err := w.events.Append(auditor(), tx, activity.Event{Type: activity.TokenCreated, Subject: subject, Summary: "it happened"})
		if err == nil && undone {
			return errUndo
		}
		return err
	})
	if err != nil && !errors.Is(err, errUndo) {
		w.tb.Error(err)
	}
}

// many writes n events in few transactions.
func (w *world) many(n int) {
	w.tb.Helper()
	for n > 0 {
		part := min(n, 500)
		err := w.st.InTx(auditor(), func(tx *db.Client) error {
			entries := make([]activity.Entry, part)
			for i := range entries {
				var err error
				if entries[i], err = w.events.LayOut(auditor(), activity.Event{Type: activity.TokenCreated, Subject: fmt.Sprint("token ", n, i)}); err != nil {
					return err
				}
			}
			return w.events.Write(auditor(), tx, entries...)
		})
		if err != nil {
			w.tb.Fatal(err)
		}
		n -= part
	}
}

// integrate puts everything in the tree.
func (w *world) integrate() {
	w.tb.Helper()
	for {
		n, err := w.tree.Integrate(auditor())
		if err != nil {
			w.tb.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// exec runs a statement as somebody does who has the database.
func (w *world) exec(statement string, args ...any) {
	w.tb.Helper()
	err := w.st.InTx(auditor(), func(tx *db.Client) error {
		_, err := tx.ExecContext(auditor(), statement, args...)
		return err
	})
	if err != nil {
		w.tb.Fatalf("%s: %v", statement, err)
	}
}

func tokenCreated(subject string) activity.Event {
	return activity.Event{Type: activity.TokenCreated, Subject: subject}
}
