package apitest_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// command runs a command that works beside the server.
func command(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = cli.Run(t.Context(), args, func(string) string { return "" }, &out, &out)
	return code, out.String()
}

func TestRule41_TheCommandNamesTheEventThatWasRewritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0")
		s.inTree()
		verify := []string{"log", "verify", "--data", s.data, "--database", dsn, "--log-origin", "log.example.test"}
		if code, said := command(t, verify...); code != cli.Done || !strings.Contains(said, "Nothing was rewritten.") {
			t.Fatalf("it ended with %d and %s", code, said)
		}
		ctx := auth.System(context.Background())
		e := s.db.Read().ActivityEvent.Query().Where(activityevent.Subject("gateway@1.0")).OnlyX(ctx)
		testdb.MayChange(t, s.db, "activity_events")
		if err := s.db.InTx(ctx, func(tx *db.Client) error {
			_, err := tx.ExecContext(ctx, "UPDATE activity_events SET summary = 'nothing' WHERE subject = 'gateway@1.0'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		code, said := command(t, verify...)
		if want := "event " + strconv.Itoa(*e.LogIndex) + " of the log"; code != cli.GateNo || !strings.Contains(said, want) || !strings.Contains(said, "gateway@1.0") {
			t.Errorf("it ended with %d and %s, want %s", code, said, want)
		}
		if code, said := command(t, "log", "verify", "--nonsense"); code != cli.WrongCall {
			t.Errorf("a wrong call ended with %d and %s", code, said)
		}
		if code, said := command(t, "log", "accept", "--help"); code != cli.Done || !strings.Contains(said, "log.checkpoint.SIZE") {
			t.Errorf("help ended with %d and %s", code, said)
		}
	})
}

// TestRule41_ABackupThatIsPutBackStopsTheStart puts an older file of the database back under a service that was killed.
func TestRule41_ABackupThatIsPutBackStopsTheStart(t *testing.T) {
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	file := filepath.Join(data, "plimsoll.db")
	p := spawn(t, data)
	p.must(admin, "CreateProject", object{"key": "payments", "name": "Payments"})
	p.sizeReaches(2)
	p.end(syscall.SIGTERM)
	copyFile(t, file, backup)
	p = spawn(t, data)
	p.must(admin, "CreateProject", object{"key": "billing", "name": "Billing"})
	p.sizeReaches(3)
	p.end(syscall.SIGKILL)
	p = spawn(t, data) // the kill alone is no reason to refuse
	p.end(syscall.SIGTERM)
	for _, side := range []string{"-wal", "-shm"} {
		if err := os.Remove(file + side); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	copyFile(t, backup, file)
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--data", data}
	if code, said := command(t, serve...); code != cli.Fault || !strings.Contains(said, "older backup") || !strings.Contains(said, "plimsoll log accept") {
		t.Fatalf("the start ended with %d and %s", code, said)
	}
	if code, said := command(t, "log", "verify", "--data", data); code != cli.GateNo || !strings.Contains(said, "it is missing: this server has seen") {
		t.Errorf("verify ended with %d and %s", code, said)
	}
	if code, said := command(t, "log", "accept", "--data", data); code != cli.Done || strings.Count(said, "plimsoll.dev/log\n") != 2 || !strings.Contains(said, "Accepted") {
		t.Fatalf("accept ended with %d and %s", code, said)
	}
	p = spawn(t, data)
	p.must(admin, "CreateProject", object{"key": "billing", "name": "Billing"})
	p.end(syscall.SIGTERM)
	if code, said := command(t, "log", "accept", "--data", data); code != cli.Done || !strings.Contains(said, "nothing to accept") {
		t.Errorf("accept ended with %d and %s", code, said)
	}
}

// sizeReaches waits until the file of the newest checkpoint is of so many events, or of more.
func (p process) sizeReaches(size int) {
	p.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(p.data, "log.checkpoint")); err == nil {
			if n, err := strconv.Atoi(strings.Split(string(b), "\n")[1]); err == nil && n >= size {
				return
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("no checkpoint of %d events is remembered after ten seconds", size)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := firstOf(err, out.Close()); err != nil {
		t.Fatal(err)
	}
}
