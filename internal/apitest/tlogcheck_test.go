package apitest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule41_TheStockLogCheckerFindsTheLogSound shows the log to Tessera's client, and then a log in which something differs.
func TestRule41_TheStockLogCheckerFindsTheLogSound(t *testing.T) {
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		t.Skip("make test builds the tools")
	}
	program := filepath.Join(tools, "tlogcheck")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("PLIMSOLL_TOOLS is set, but: %v; run scripts/tools tlogcheck", err)
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.inTree()
		files := t.TempDir()
		keep := func(name, path string) string {
			file := filepath.Join(files, name)
			if err := os.WriteFile(file, []byte(s.fetch(path)), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}
		old, key := keep("old", "/log/checkpoint"), keep("key", "/log/key")
		for i := range 280 { // more than a tile
			s.must(admin, "CreateProject", object{"key": fmt.Sprint("p", i), "name": "A project"})
		}
		s.inTree()
		check := func(where, token string, args ...string) (int, string) {
			ctx, stop := context.WithTimeout(context.Background(), time.Minute)
			defer stop()
			cmd := exec.CommandContext(ctx, program, append([]string{"--url", where + "/log/", "--key", key, "--timeout", "10s"}, args...)...)
			cmd.Env = append(os.Environ(), "TLOGCHECK_TOKEN="+token)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			return cmd.ProcessState.ExitCode(), string(out)
		}
		size := opened(t, s.fetch("/log/key"), s.fetch("/log/checkpoint")).N
		if code, said := check(s.url, admin, "--old", old); code != 0 || !strings.Contains(said, strconv.FormatInt(size, 10)+" leaves") || !strings.Contains(said, "goes on from") {
			t.Fatalf("it ended with %d and %s", code, said)
		}
		if code, said := check(s.url, ""); code != 1 || !strings.Contains(said, "401") {
			t.Errorf("without a token it ended with %d and %s", code, said)
		}
		other := start(t, testdb.SQLite(t))
		other.inTree()
		if code, said := check(other.url, admin); code != 1 || !strings.Contains(said, "no key opens") {
			t.Errorf("with the key of another log it ended with %d and %s", code, said)
		}
		for path, alter := range altered {
			if code, said := check(through(t, s.url, path, alter), admin); code != 1 {
				t.Errorf("with another %s it ended with %d and %s", path, code, said)
			}
		}
		if code, said := check("ftp://x", admin); code != 1 {
			t.Errorf("with no URL it ended with %d and %s", code, said)
		}
	})
}

// altered are ways to serve something else below a path.
var altered = map[string]func([]byte) []byte{
	"/log/tile/0/000":         func(b []byte) []byte { b[40] ^= 1; return b },
	"/log/tile/1/000.p/1":     func(b []byte) []byte { b[3] ^= 1; return b },
	"/log/tile/0/001.p/":      func(b []byte) []byte { b[0] ^= 1; return b },
	"/log/tile/entries/000":   func(b []byte) []byte { b[300] ^= 1; return b },
	"/log/tile/entries/001.p": func(b []byte) []byte { return b[:2+int(b[0])<<8+int(b[1])] },
	"/log/checkpoint":         func(b []byte) []byte { return bytes.Replace(b, []byte("\n"), []byte("\n1"), 1) },
}

// through serves what a server does, and something else at the paths that begin so.
func through(t *testing.T, server, path string, alter func([]byte) []byte) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if !strings.HasPrefix(r.Request.URL.Path, path) || r.StatusCode != http.StatusOK {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		b = alter(b)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Set("Content-Length", strconv.Itoa(len(b)))
		r.Header.Del("ETag")
		return nil
	}
	p := httptest.NewServer(proxy)
	t.Cleanup(p.Close)
	return p.URL
}
