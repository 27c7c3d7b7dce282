package app_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestAStartSweepsTheObjectStoreAndCloseEndsThat(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "objects", "sha256", "ab", strings.Repeat("ab", 32))
	if err := os.MkdirAll(filepath.Dir(garbage), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(garbage, []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(garbage, then, then); err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{Data: dir, Database: testdb.SQLite(t), ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"), LogOrigin: "log.example.test", VerifierID: "https://example.test/verifier"}
	a, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(garbage); errors.Is(err, fs.ErrNotExist) {
			break
		}
		if time.Now().After(deadline) {
			t.Error("what no record names is there still")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	var running strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&running, 1); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(running.String(), "app.sweep") {
		t.Errorf("it sweeps after it was closed:\n%s", running.String())
	}
}

func TestAnObjectStoreThatCannotBeOpenedStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Config{Data: dir, Database: testdb.SQLite(t), ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"), LogOrigin: "log.example.test", Objects: "file://relative"}
	if a, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler), time.Now); err == nil {
		a.Close()
		t.Fatal("it started without a place for what is uploaded")
	}
}
