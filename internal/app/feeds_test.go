package app_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestAServerThatRunsPullsTheFeedsThatAreNamed(t *testing.T) {
	dir, dsn := t.TempDir(), testdb.SQLite(t)
	list := filepath.Join(dir, "kev.json")
	if err := os.WriteFile(list, []byte(`{"catalogVersion":"1","dateReleased":"2026-01-01T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), config.Config{
		Data: dir, Database: dsn, ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"), LogOrigin: "log.example.test", VerifierID: "https://example.test/verifier",
		AdvisoryFeeds: []config.AdvisoryFeed{{Name: "kev", Format: "KEV", Source: list}}, AdvisoryInterval: time.Hour,
	}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, listener) }()

	sys := auth.System(context.Background())
	s, err := store.Open(sys, dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(time.Minute); s.Read().ActivityEvent.Query().Where(activityevent.Type("ADVISORIES_IMPORTED")).CountX(sys) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing was pulled")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if f := s.Read().Feed.Query().OnlyX(sys); f.Snapshots != 1 || f.Source != list || f.Failure != "" {
		t.Errorf("%+v", f)
	}
	event := s.Read().ActivityEvent.Query().Where(activityevent.Type("ADVISORIES_IMPORTED")).WithOpenings().OnlyX(sys)
	if n := len(event.Edges.Openings); n != 1 || event.Edges.Openings[0].Name != "plimsoll" {
		t.Errorf("the event is of %+v", event.Edges.Openings)
	}
}
