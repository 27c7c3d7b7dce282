package apitest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// exported splits an export into its events and its last line.
func exported(t *testing.T, text []byte) (events []object, checkpoint, next string) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		var o object
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i < len(lines)-1 {
			events = append(events, o)
			continue
		}
		checkpoint, _ = o["checkpoint"].(string)
		next = fmt.Sprint(o["next"])
	}
	return events, checkpoint, next
}

// TestRule45_TheExportIsServedToThoseWhoSeeEverything asks over HTTP as several, rightly and wrongly.
func TestRule45_TheExportIsServedToThoseWhoSeeEverything(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	viewer, auditor := s.token("viewer", "VIEWER", "payments"), s.token("auditor", "AUDITOR", "payments")
	all := s.token("all", "AUDITOR", "")
	s.inTree()
	for _, c := range []struct {
		token, query string
		status       int
		says         string
	}{
		{"", "", 401, "Authorization"},
		{"nonsense", "", 401, ""},
		{viewer, "", 403, "AUDITOR"},
		{auditor, "?from=0", 403, "AUDITOR"},
		{all, "", 200, `"next":`},
		{admin, "?format=ocsf&limit=1&from=2", 200, `"next":3`},
		{admin, "?from=x", 400, "whole number"},
		{admin, "?from=-1", 400, "from 0 to"},
		{admin, "?from=1000", 400, "from 0 to"},
		{admin, "?limit=0", 400, "from 1 to 100000"},
		{admin, "?limit=100001", 400, "from 1 to 100000"},
		{admin, "?format=cef", 400, "jsonl or ocsf"},
		{admin, "?fromm=1", 400, "from, limit and format"},
		{admin, "?from=1&from=2", 400, "once"},
	} {
		status, header, body := s.readLog(c.token, "/log/export"+c.query)
		if status != c.status || !strings.Contains(string(body), c.says) || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d with %q: %s", c.query, status, c.status, c.says, body)
		}
		if status == 200 && header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s is %s", c.query, header.Get("Content-Type"))
		}
	}
}

// TestRule41_WhatTheCommandExportsVerifiesWithAStockClient recomputes the root of the lines and compares it with the checkpoint.
func TestRule41_WhatTheCommandExportsVerifiesWithAStockClient(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0")
		s.inTree()
		events, checkpoint, next := exported(t, []byte(s.want(cli.Done, admin, "log", "export")))
		tree := opened(t, s.fetch("/log/key"), checkpoint)
		var rows []*db.ActivityEvent
		for i, e := range events {
			leaf, err := base64.StdEncoding.DecodeString(e["leaf"].(string))
			if err != nil || e["logIndex"] != float64(i) {
				t.Fatalf("event %d is %v: %v", i, e, err)
			}
			rows = append(rows, &db.ActivityEvent{Leaf: leaf})
		}
		if root := rootOf(t, rows); tree.N != int64(len(events)) || tlog.Hash(root) != tree.Hash || next != fmt.Sprint(len(events)) {
			t.Errorf("%d lines make another root than the checkpoint of %d", len(events), tree.N)
		}
		shown := s.post(admin, `{ activityLog(first: 1) { edges { node { logIndex leafHash at type category result project { key } application { key } subject summary actor leaf } } } }`, nil)
		node := shown.at(t, "activityLog", "edges").([]any)[0].(object)["node"].(object)
		last := events[len(events)-1]
		for field, value := range node {
			if nested, ok := value.(object); ok {
				value = nested["key"]
			}
			if last[field] != value {
				t.Errorf("%s is exported as %v, and activityLog shows %v", field, last[field], value)
			}
		}
	})
}

// TestAnExportIntoAFileGoesOnWhereverItEnded cuts the file after every so many bytes, as a kill does, and lets the command go on.
func TestAnExportIntoAFileGoesOnWhereverItEnded(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.inTree()
	for _, format := range []string{"jsonl", "ocsf"} {
		path := filepath.Join(t.TempDir(), "events")
		export := func(code int) string {
			return s.want(code, admin, "log", "export", "--output", path, "--format", format)
		}
		export(cli.Done)
		whole := contentOf(t, path)
		for at := 0; at <= len(whole); at += max(1, len(whole)/23) {
			overwrite(t, path, whole[:at])
			export(cli.Done)
			if got := contentOf(t, path); got != whole {
				t.Fatalf("%s, cut at %d of %d, became %d bytes", format, at, len(whole), len(got))
			}
		}
		export(cli.Done)
		if got := contentOf(t, path); got != whole {
			t.Errorf("%s: where nothing happened, %q was added", format, got[len(whole):])
		}
		s.report("gateway", "of "+format)
		s.inTree()
		export(cli.Done)
		grown := contentOf(t, path)
		if !strings.HasPrefix(grown, whole) || strings.Count(grown, `{"checkpoint":`) != 2 || !strings.Contains(grown[len(whole):], "of "+format) {
			t.Errorf("%s: what happened since was written as %q", format, grown[len(whole):])
		}
	}
}

func TestAnExportRefusesAFileThatItCannotGoOnWith(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.inTree()
	path := filepath.Join(t.TempDir(), "events")
	s.want(cli.Done, admin, "log", "export", "--output", path)
	whole := contentOf(t, path)
	lines := strings.SplitAfter(whole, "\n")
	const begin = `{"logIndex":1,"leafHash":"`
	hash := begin + "AAAA" + strings.TrimPrefix(lines[1], begin)[4:]
	for name, c := range map[string]struct {
		text string
		args []string
		code int
		says string
	}{
		"of another kind":       {"dear diary\n", nil, cli.WrongCall, "something else"},
		"without an end":        {"dear diary", nil, cli.WrongCall, "something else"},
		"JSON of another kind":  {`{"dear":"diary"}` + "\n", nil, cli.WrongCall, "something else"},
		"of the other format":   {whole, []string{"--format", "ocsf"}, cli.WrongCall, "jsonl"},
		"that was begun":        {whole, []string{"--from", "3"}, cli.WrongCall, "--from"},
		"of a longer log":       {strings.Replace(lines[1], `"logIndex":1`, `"logIndex":4711`, 1), nil, cli.GateNo, "4711"},
		"of an event elsewhere": {strings.Replace(lines[1], `"logIndex":1`, `"logIndex":2`, 1), nil, cli.GateNo, "rewritten"},
		"of another event":      {hash, nil, cli.GateNo, "rewritten"},
		"of another log":        {strings.Replace(lines[len(lines)-2], "log.example.test", "log.example.com", 1), nil, cli.GateNo, "another log"},
	} {
		overwrite(t, path, c.text)
		if said := s.want(c.code, admin, append([]string{"log", "export", "--output", path}, c.args...)...); !strings.Contains(said, c.says) {
			t.Errorf("a file %s: %s", name, said)
		}
		if contentOf(t, path) != c.text {
			t.Errorf("a file %s was changed", name)
		}
	}
	for want, args := range map[string][]string{"jsonl or ocsf": {"--format", "cef"}, "flags only": {"x"}, "from 0 to": {"--from", "100000"}, "not defined": {"--colour"}} {
		if said := s.want(cli.WrongCall, admin, append([]string{"log", "export"}, args...)...); !strings.Contains(said, want) {
			t.Errorf("%v: %s", args, said)
		}
	}
	if said := s.want(cli.WrongCall, s.token("v", "VIEWER", "payments"), "log", "export"); !strings.Contains(said, "FORBIDDEN") {
		t.Errorf("a viewer hears %s", said)
	}
}

// TestRule41_AnExportNoticesThatTheLogWasRewritten signs another history with the same key.
func TestRule41_AnExportNoticesThatTheLogWasRewritten(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(t.TempDir(), "events")
	first := startOn(t, testdb.SQLite(t), data)
	first.settle("payments", "gateway")
	first.inTree()
	first.want(cli.Done, admin, "log", "export", "--output", path)
	before := contentOf(t, path)
	elsewhere := t.TempDir()
	overwrite(t, filepath.Join(elsewhere, "log.key"), contentOf(t, filepath.Join(data, "log.key")))
	other := startOn(t, testdb.SQLite(t), elsewhere)
	other.inTree()
	if said := other.want(cli.GateNo, admin, "log", "export", "--output", path); !strings.Contains(said, "had") {
		t.Errorf("a shorter log: %s", said)
	}
	for n := range 20 {
		other.must(admin, "CreateProject", object{"key": fmt.Sprint("project-", n, "x"), "name": fmt.Sprint("Project ", n)})
	}
	other.inTree()
	if said := other.want(cli.GateNo, admin, "log", "export", "--output", path); !strings.Contains(said, "rewritten") || contentOf(t, path) != before {
		t.Errorf("another history: %s", said)
	}
}

// TestAnExportThatFollowsIsKilledAndGoesOn kills it twice while events are written; in the end each is in the file once.
func TestAnExportThatFollowsIsKilledAndGoesOn(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	path := filepath.Join(t.TempDir(), "events")
	written := make(chan bool)
	go func() {
		defer close(written)
		for n := range 60 {
			s.report("gateway", fmt.Sprint("1.", n))
		}
	}()
	for range 2 {
		cmd := s.command("log", "export", "--follow", "--output", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // says that it was killed
	}
	<-written
	s.inTree()
	s.want(cli.Done, admin, "log", "export", "--output", path)
	var events []string
	for line := range strings.Lines(contentOf(t, path)) {
		if !strings.HasPrefix(line, `{"checkpoint":`) {
			events = append(events, line)
		}
	}
	all := strings.SplitAfter(s.want(cli.Done, admin, "log", "export"), "\n")
	if got, want := strings.Join(events, ""), strings.Join(all[:len(all)-2], ""); got != want {
		t.Errorf("%d events are in the file, and %d in the log", len(events), len(all)-2)
	}
	if n := s.db.Read().ActivityEvent.Query().CountX(auth.System(t.Context())); n != len(events) {
		t.Errorf("%d events are in the file, and %d happened", len(events), n)
	}
}

// TestAnExportThatFollowsOutlivesAnOutage is longer down than a request is tried again, and ends in order when it is told to.
func TestAnExportThatFollowsOutlivesAnOutage(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.inTree()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	through := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		through.ServeHTTP(w, r)
	}))
	defer front.Close()
	path := filepath.Join(t.TempDir(), "events")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan string, 1)
	go func() {
		env := map[string]string{"PLIMSOLL_URL": front.URL, "PLIMSOLL_TOKEN": admin}
		var out, problems bytes.Buffer
		code := cli.Run(ctx, []string{"log", "export", "--follow", "--output", path}, func(name string) string { return env[name] }, &out, &problems)
		ended <- fmt.Sprint(code, " ", problems.String())
	}()
	until := func(text string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), text) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q is not in the file", text)
			}
		}
	}
	until(`"checkpoint"`)
	down.Store(true)
	s.must(admin, "CreateProject", object{"key": "meanwhile", "name": "Meanwhile"})
	time.Sleep(10 * time.Second) // five tries and the waits between them are less
	down.Store(false)
	until("meanwhile")
	until(`"next":` + fmt.Sprint(s.db.Read().ActivityEvent.Query().CountX(auth.System(t.Context()))))
	stop()
	if said := <-ended; !strings.HasPrefix(said, "0 ") || !strings.Contains(said, "tried again") {
		t.Errorf("it ended with %s", said)
	}
}

// command is the command line as a process, which asks the server as the admin.
func (s *server) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), commandVariable+"=1", "PLIMSOLL_URL="+s.url, "PLIMSOLL_TOKEN="+admin)
	return cmd
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
