package app_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// cosigner is a witness that cosigns whatever it is sent.
type cosigner struct {
	name string
	key  ed25519.PrivateKey
}

func (c cosigner) material() []byte {
	return append([]byte{4}, c.key.Public().(ed25519.PublicKey)...)
}

func (c cosigner) id() []byte {
	sum := sha256.Sum256(append([]byte(c.name+"\n"), c.material()...))
	return sum[:4]
}

// line is its key and where it is, as the list of witnesses has it.
func (c cosigner) line(url string) string {
	return fmt.Sprintf("%s+%x+%s %s\n", c.name, c.id(), base64.StdEncoding.EncodeToString(c.material()), url)
}

func (c cosigner) sign(body string) string {
	_, checkpoint, _ := strings.Cut(body, "\n\n")
	text, _, _ := strings.Cut(checkpoint, "\n\n")
	sig := binary.BigEndian.AppendUint64(c.id(), 7)
	sig = append(sig, ed25519.Sign(c.key, []byte("cosignature/v1\ntime 7\n"+text+"\n"))...)
	return "— " + c.name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// TestACheckpointIsSentToWitnessesAndNobodyElse has one witness that cosigns, one that leads elsewhere, and one that never ends.
func TestACheckpointIsSentToWitnessesAndNobodyElse(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // who is named is asked, whatever the environment says
	one := cosigner{"one.example.test", ed25519.NewKeyFromSeed(make([]byte, 32))}
	asked := make(chan string, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /good/add-checkpoint", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked <- "good " + strings.SplitN(string(b), "\n", 2)[0]
		_, _ = io.WriteString(w, one.sign(string(b)))
	})
	mux.HandleFunc("POST /leads/add-checkpoint", func(w http.ResponseWriter, r *http.Request) {
		asked <- "leads"
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { asked <- "elsewhere" })
	mux.HandleFunc("POST /ends/add-checkpoint", func(w http.ResponseWriter, _ *http.Request) {
		asked <- "ends"
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	dir := t.TempDir()
	list := one.line(server.URL+"/good/") + cosigner{"two.example.test", one.key}.line(server.URL+"/leads") + cosigner{"three.example.test", one.key}.line(server.URL+"/ends")
	if err := os.WriteFile(filepath.Join(dir, "witnesses"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{
		Data: dir, Database: testdb.SQLite(t), ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"),
		LogOrigin: "log.example.test", VerifierID: "https://example.test/verifier", LogWitnesses: filepath.Join(dir, "witnesses"),
	}
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	got := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(read(t, a, "/log/checkpoint"), "— one.example.test "); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody cosigned: %s", read(t, a, "/log/checkpoint"))
		}
	}
	for len(got) < 3 {
		select {
		case what := <-asked:
			got[what] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("asked were %v", got)
		}
	}
	if got["elsewhere"] || !got["good old 0"] || !got["leads"] || !got["ends"] {
		t.Errorf("asked were %v", got)
	}
	if said := read(t, a, "/log/checkpoint"); strings.Contains(said, "two.example") || strings.Contains(said, "three.example") {
		t.Errorf("the checkpoint is %s", said)
	}
	if said := read(t, a, "/readyz"); strings.Contains(said, "log:") {
		t.Errorf("a witness that fails makes the service not ready: %s", said)
	}
}

func read(t *testing.T, a *app.App, path string) string {
	t.Helper()
	answer := httptest.NewRecorder()
	a.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return answer.Body.String()
}

func TestAListOfWitnessesThatIsNotThereStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Config{
		Data: dir, Database: testdb.SQLite(t), ReleaseKey: filepath.Join(dir, "release.key"), LogKey: filepath.Join(dir, "log.key"),
		LogOrigin: "log.example.test", LogWitnesses: filepath.Join(dir, "witnesses"),
	}
	if a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler), time.Now); err == nil || !strings.Contains(err.Error(), "witnesses") {
		if err == nil {
			a.Close()
		}
		t.Errorf("it started: %v", err)
	}
}
