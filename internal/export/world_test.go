package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

type object = map[string]any

// world is a log with its tree, and what exports it.
type world struct {
	tb      testing.TB
	st      *store.Store
	events  *activity.Log
	tree    *translog.Service
	exports *export.Service
	keys    []string
	project *db.Project
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	signer, _, err := tlog.LoadOrCreateSigner(filepath.Join(tb.TempDir(), "log.key"), "log.example.test")
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{tb: tb, st: testdb.Open(tb, dsn), keys: signer.Keys()}
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	w.events = activity.New(w.st, now)
	w.tree = translog.New(w.st, w.events, signer, now)
	w.exports = export.New(w.st, w.tree, "0.0.0")
	err = w.st.InTx(auditor(), func(tx *db.Client) (err error) {
		w.project, err = tx.Project.Create().SetKey("pay").SetName("pay").SetCreatedAt(now()).Save(auditor())
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// as is somebody with a role on the organisation, or on a project.
func as(role auth.Role, project int) context.Context {
	return auth.With(context.Background(), auth.Principal{Name: "ada", Grants: []auth.Grant{{Role: role, Project: project}}})
}

func auditor() context.Context { return as(auth.Auditor, auth.Organisation) }

// write writes events in one transaction.
func (w *world) write(events ...activity.Event) {
	err := w.st.InTx(auditor(), func(tx *db.Client) error {
		entries := make([]activity.Entry, len(events))
		for i, e := range events {
			var err error
			if entries[i], err = w.events.LayOut(auditor(), e); err != nil {
				return err
			}
		}
		return w.events.Write(auditor(), tx, entries...)
	})
	if err != nil {
		w.tb.Error(err)
	}
}

// many writes n events.
func (w *world) many(n int) {
	w.tb.Helper()
	for n > 0 {
		events := make([]activity.Event, min(n, 400))
		for i := range events {
			events[i] = activity.Event{Type: activity.TokenCreated, Subject: fmt.Sprint("token ", n, i), Changes: []activity.Change{
				activity.Added("person", activity.Person("user:joan")), activity.Changed("role", "<VIEWER>", "AUDITOR"),
			}}
		}
		w.write(events...)
		n -= len(events)
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

// export exports, and gives events and checkpoint.
func (w *world) export(in export.Input) (lines [][]byte, checkpoint object) {
	w.tb.Helper()
	run, err := w.exports.Open(auditor(), in)
	if err != nil {
		w.tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := run.Write(auditor(), &b); err != nil {
		w.tb.Fatal(err)
	}
	lines = bytes.Split(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\n"))
	checkpoint = w.read(lines[len(lines)-1])
	if len(checkpoint) != 2 || checkpoint["checkpoint"] == "" {
		w.tb.Fatalf("the last line is %s", lines[len(lines)-1])
	}
	return lines[:len(lines)-1], checkpoint
}

func (w *world) read(line []byte) (o object) {
	w.tb.Helper()
	if err := json.Unmarshal(line, &o); err != nil {
		w.tb.Fatalf("%s: %v", line, err)
	}
	return o
}
