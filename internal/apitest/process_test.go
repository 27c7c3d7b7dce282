package apitest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/store"
)

// serveVariable makes this test binary the service itself, so that a test can kill it.
const serveVariable = "PLIMSOLL_APITEST_SERVE"

// commandVariable makes it the command line, with the arguments that it is given.
const commandVariable = "PLIMSOLL_APITEST_COMMAND"

func TestMain(m *testing.M) {
	if data := os.Getenv(serveVariable); data != "" {
		getenv := func(name string) string {
			if name == "PLIMSOLL_BOOTSTRAP_TOKEN" {
				return admin
			}
			return ""
		}
		// Where a limit is set on the size of files, a write that goes too far shall fail, as on a full disk.
		signal.Ignore(syscall.SIGXFSZ)
		ctx, stop := signalled()
		defer stop()
		os.Exit(cli.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--data", data}, getenv, os.Stdout, os.Stderr))
	}
	if os.Getenv(commandVariable) != "" {
		os.Exit(cli.Run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// process is a service in a process of its own.
type process struct {
	*server
	cmd *exec.Cmd
}

func spawn(t *testing.T, data string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is gone already when the test went well
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "Plimsoll serves "); ok {
			go func() {
				for lines.Scan() { // so that it never waits for its output to be read
				}
			}()
			return process{&server{t: t, url: url, data: data}, cmd}
		}
	}
	t.Fatal("the service ended before it served")
	return process{}
}

// TestRule13_WhatWasAcknowledgedSurvivesAKill promotes version after version until the process is killed in the middle,
// and then looks whether everything that was acknowledged is there, and nothing is there in part.
func TestRule13_WhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	data := t.TempDir()
	p := spawn(t, data)
	p.settle("payments", "gateway")
	acknowledged := make(chan string, 1000)
	const clients = 4
	for c := range clients {
		go func() {
			for n := 0; ; n++ {
				version := fmt.Sprintf("%d.%d", c, n)
				if !p.walk(version) {
					return
				}
				acknowledged <- version
			}
		}()
	}
	var done []string
	for len(done) < 25 {
		done = append(done, <-acknowledged)
	}
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
	for len(acknowledged) > 0 {
		done = append(done, <-acknowledged)
	}
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(data, "plimsoll.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("the database does not open after the kill: %v", err)
	}
	defer s.Close()
	whole(t, s, done)
}

// walk reports a version and promotes it. It tells whether both were acknowledged; a killed server answers nothing.
func (p process) walk(version string) bool {
	for _, body := range []string{
		fmt.Sprintf(`{"query":"mutation { createApplicationVersion(input: {applicationKey: \"gateway\", version: \"%s\", sources: {artifacts: [{name: \"x\", digest: \"%s\"}]}}) { applicationVersion { id } } }"}`, version, image),
		fmt.Sprintf(`{"query":"mutation { promoteApplicationVersion(input: {applicationKey: \"gateway\", version: \"%s\", toStage: \"DEV\"}) { promotion { status } } }"}`, version),
	} {
		answer, err := p.quietly(body)
		if err != nil || strings.Contains(answer, `"errors"`) || !strings.Contains(answer, `"data":{`) {
			return false
		}
	}
	return true
}

// whole checks that acknowledged versions moved, and that every move has its evaluation, statement and event.
func whole(t *testing.T, s *store.Store, acknowledged []string) {
	t.Helper()
	ctx := auth.System(context.Background())
	moved := map[string]bool{}
	versions := s.Read().ApplicationVersion.Query().WithCurrentStage().WithAttestations().
		WithPromotions(func(q *db.PromotionQuery) { q.WithEvaluations() }).AllX(ctx)
	for _, v := range versions {
		moves := v.Edges.Promotions
		moved[v.Version] = v.Edges.CurrentStage != nil
		want := 1 // the signed manifest
		if moved[v.Version] {
			want = 2
		}
		events := s.Read().ActivityEvent.Query().Where(activityevent.Subject("gateway@" + v.Version)).CountX(ctx)
		if moved[v.Version] != (len(moves) == 1) || len(v.Edges.Attestations) != want || events != want || v.Moves != len(moves) {
			t.Errorf("version %s is there in part: in a stage: %v, %d promotions, %d statements, %d events, %d moves",
				v.Version, moved[v.Version], len(moves), len(v.Edges.Attestations), events, v.Moves)
		}
		for _, m := range moves {
			if m.Status != promotion.StatusCOMPLETED || len(m.Edges.Evaluations) != 1 {
				t.Errorf("version %s has a promotion %s with %d evaluations", v.Version, m.Status, len(m.Edges.Evaluations))
			}
		}
	}
	for _, version := range acknowledged {
		if !moved[version] {
			t.Errorf("the promotion of %s was acknowledged and is lost", version)
		}
	}
	t.Logf("%d acknowledged, %d versions there", len(acknowledged), len(versions))
}

func TestSIGTERMEndsTheServiceWithZero(t *testing.T) {
	p := spawn(t, t.TempDir())
	p.must(admin, "CreateProject", object{"key": "payments", "name": "Payments"})
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) || err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it still runs 10 s after SIGTERM")
	}
}
