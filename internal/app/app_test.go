package app_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// start opens the app on a database and closes it again, and returns the token that the start made.
func start(t *testing.T, cfg config.Config) string {
	t.Helper()
	a, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	return a.BootstrapToken
}

func TestASecondStartFindsWhatTheFirstMade(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		dir := t.TempDir()
		cfg := config.Config{Data: dir, Database: dsn, ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"), LogOrigin: "log.example.test", VerifierID: "https://example.test/verifier"}
		if token := start(t, cfg); token == "" {
			t.Error("the first start made no token")
		}
		first := count(t, dsn)
		if token := start(t, cfg); token != "" {
			t.Error("the second start made a token, too")
		}
		if second := count(t, dsn); second != first {
			t.Errorf("rows after the second start: %+v, after the first: %+v", second, first)
		}
	})
}

type rows struct{ events, principals, tokens, templates, keys int }

func count(t *testing.T, dsn string) rows {
	t.Helper()
	ctx := auth.System(context.Background())
	s, err := store.Open(ctx, dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.Read()
	return rows{
		r.ActivityEvent.Query().CountX(ctx), r.Principal.Query().CountX(ctx), r.Token.Query().CountX(ctx),
		r.PolicyTemplate.Query().CountX(ctx), r.SigningKey.Query().CountX(ctx),
	}
}

func TestANamedReleaseKeyThatIsNotThereStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Config{Data: dir, Database: testdb.SQLite(t), ReleaseKey: filepath.Join(dir, "elsewhere.key")}
	if a, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler), time.Now); err == nil {
		a.Close()
		t.Fatal("it started and would have signed with a key that nobody gave")
	}
}
