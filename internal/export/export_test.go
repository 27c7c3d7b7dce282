package export_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// TestRule41_WhatWasExportedMakesTheTreeThatItsCheckpointSigns recomputes the root from the lines, which a client wrote down
// while others went on writing.
func TestRule41_WhatWasExportedMakesTheTreeThatItsCheckpointSigns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many(1)
		w.integrate()
		var writers sync.WaitGroup
		for range 3 {
			writers.Go(func() {
				for range 8 {
					w.many(30)
				}
			})
		}
		var lines [][]byte
		var last object
		for busy := true; busy; {
			busy = len(lines) < 721
			w.integrate()
			more, checkpoint := w.export(export.Input{From: int64(len(lines)), Limit: 100, Format: export.JSONL})
			lines, last = append(lines, more...), checkpoint
			if checkpoint["next"] != float64(len(lines)) {
				t.Fatalf("after %d events it says %v", len(lines), checkpoint["next"])
			}
		}
		writers.Wait()
		opened, err := tlog.OpenCheckpoint([]byte(last["checkpoint"].(string)), w.keys)
		if err != nil || opened.Size != 721 || len(lines) != 721 {
			t.Fatalf("%d lines, and a checkpoint of %d: %v", len(lines), opened.Size, err)
		}
		if root := w.root(lines); root != opened.Root {
			t.Errorf("the lines make the root %s, and the checkpoint signs %s", root, opened.Root)
		}
	})
}

// root computes the root of the leaves in lines, without any tile.
func (w *world) root(lines [][]byte) sumdb.Hash {
	w.tb.Helper()
	var hashes []sumdb.Hash
	read := sumdb.HashReaderFunc(func(at []int64) (out []sumdb.Hash, err error) {
		for _, p := range at {
			out = append(out, hashes[p])
		}
		return out, nil
	})
	for i, line := range lines {
		o := w.read(line)
		leaf, err := base64.StdEncoding.DecodeString(o["leaf"].(string))
		if err != nil || o["logIndex"] != float64(i) || o["leafHash"] != sumdb.RecordHash(leaf).String() {
			w.tb.Fatalf("line %d is %s: %v", i, line, err)
		}
		stored, err := sumdb.StoredHashes(int64(i), leaf, read)
		if err != nil {
			w.tb.Fatal(err)
		}
		hashes = append(hashes, stored...)
	}
	root, err := sumdb.TreeHash(int64(len(lines)), read)
	if err != nil {
		w.tb.Fatal(err)
	}
	return root
}

func TestAnExportThatIsResumedAnywhereHasTheSameLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many(37)
		w.integrate()
		for _, format := range []export.Format{export.JSONL, export.OCSF} {
			all, _ := w.export(export.Input{Limit: export.MaxLimit, Format: format})
			for from := range len(all) + 1 {
				for _, limit := range []int64{1, 5, 100} {
					got, checkpoint := w.export(export.Input{From: int64(from), Limit: limit, Format: format})
					until := min(len(all), from+int(limit))
					if !slices.EqualFunc(got, all[from:until], func(a, b []byte) bool { return string(a) == string(b) }) || checkpoint["next"] != float64(until) {
						t.Fatalf("%s from %d, %d at most: %d lines, next %v", format, from, limit, len(got), checkpoint["next"])
					}
				}
			}
		}
	})
}

func TestRule40_AnErasedPersonIsErasedFromTheExport(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.many(1)
	w.integrate()
	for _, format := range []export.Format{export.JSONL, export.OCSF} {
		lines, _ := w.export(export.Input{Limit: 1, Format: format})
		if text := string(lines[0]); !strings.Contains(text, "user:joan") || !strings.Contains(text, `"ada"`) || !strings.Contains(text, "<VIEWER>") {
			t.Errorf("the line is %s", text)
		}
	}
	err := w.st.InTx(auditor(), func(tx *db.Client) error {
		_, err := tx.ActivityOpening.Delete().Where(activityopening.NameIn("user:joan", "ada")).Exec(auth.System(auditor()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []export.Format{export.JSONL, export.OCSF} {
		lines, _ := w.export(export.Input{Limit: 1, Format: format})
		if text := string(lines[0]); strings.Contains(text, "joan") || strings.Contains(text, `"ada"`) || strings.Count(text, `"erased"`) < 2 {
			t.Errorf("after the erasure the line is %s", text)
		}
	}
}

func TestRule45_TheExportIsForThoseWhoSeeEverything(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.many(3)
	w.integrate()
	good := export.Input{Limit: 1, Format: export.JSONL}
	for name, c := range map[string]struct {
		ctx  context.Context
		in   export.Input
		kind fault.Kind
		says string
	}{
		"an admin":             {as(auth.OrganisationAdmin, auth.Organisation), good, "", ""},
		"a project's auditor":  {as(auth.Auditor, w.project.ID), good, fault.Forbidden, "AUDITOR"},
		"a viewer of all":      {as(auth.Viewer, auth.Organisation), good, fault.Forbidden, "AUDITOR"},
		"nobody":               {context.Background(), good, fault.Unauthenticated, ""},
		"no limit":             {auditor(), export.Input{Format: export.JSONL}, fault.BadInput, "100000"},
		"too much":             {auditor(), export.Input{Limit: export.MaxLimit + 1, Format: export.JSONL}, fault.BadInput, "100000"},
		"no format":            {auditor(), export.Input{Limit: 1}, fault.BadInput, "jsonl or ocsf"},
		"before the beginning": {auditor(), export.Input{From: -1, Limit: 1, Format: export.OCSF}, fault.BadInput, "from 0 to 3"},
		"behind the end":       {auditor(), export.Input{From: 4, Limit: 1, Format: export.OCSF}, fault.BadInput, "from 0 to 3"},
	} {
		_, err := w.exports.Open(c.ctx, c.in)
		f, refused := errors.AsType[*fault.Error](err)
		if refused != (c.kind != "") || refused && (f.Kind != c.kind || !strings.Contains(f.Message, c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEventThatWasDeletedEndsTheExport(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.many(5)
	w.integrate()
	run, err := w.exports.Open(auditor(), export.Input{Limit: 10, Format: export.JSONL})
	if err != nil {
		t.Fatal(err)
	}
	testdb.MayChange(t, w.st, "activity_events")
	for _, s := range []string{
		"DELETE FROM activity_openings WHERE event_id = (SELECT id FROM activity_events WHERE log_index = 2)", "DELETE FROM activity_events WHERE log_index = 2",
	} {
		if err := w.st.InTx(auditor(), func(tx *db.Client) error { _, err := tx.ExecContext(auditor(), s); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Write(auditor(), io.Discard); err == nil || !strings.Contains(err.Error(), "event 2 of the log is missing") {
		t.Errorf("it ends with %v", err)
	}
}

// TestAnExportHoldsFewEventsAtOnce: memory does not grow with what is exported.
func TestAnExportHoldsFewEventsAtOnce(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	w.many(6000)
	w.integrate()
	most := func(limit int64) (peak uint64) {
		run, err := w.exports.Open(auditor(), export.Input{Limit: limit, Format: export.OCSF})
		if err != nil {
			t.Fatal(err)
		}
		err = run.Write(auditor(), measure(func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}))
		if err != nil {
			t.Fatal(err)
		}
		return peak
	}
	if few, all := most(600), most(6000); all > few+4<<20 {
		t.Errorf("600 events take %d bytes, and 6000 take %d", few, all)
	}
}

// BenchmarkExport says what an event costs, whatever the number of them.
func BenchmarkExport(b *testing.B) {
	w := newWorld(b, testdb.SQLite(b))
	const events = 20_000
	w.many(events)
	w.integrate()
	for _, format := range []export.Format{export.JSONL, export.OCSF} {
		for _, limit := range []int64{2_000, events} {
			b.Run(fmt.Sprint(format, " ", limit), func(b *testing.B) {
				for b.Loop() {
					run, err := w.exports.Open(auditor(), export.Input{Limit: limit, Format: format})
					if err != nil {
						b.Fatal(err)
					}
					if err := run.Write(auditor(), io.Discard); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(limit), "ns/event")
			})
		}
	}
}

// measure is a writer that is told when something is written.
type measure func()

func (m measure) Write(b []byte) (int, error) {
	m()
	return len(b), nil
}
