package apitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/migrate"
	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/schema"
)

// admin is the bootstrap token of every server here.
const admin = "the-organisation-admins-token"

type object = map[string]any

// server is a running service and the database under it.
type server struct {
	t    testing.TB
	url  string
	data string
	db   *store.Store
}

func start(t testing.TB, dsn string) *server {
	t.Helper()
	return startOn(t, dsn, t.TempDir())
}

func startOn(t testing.TB, dsn, data string) *server {
	t.Helper()
	cfg := config.Config{
		Data: data, Database: dsn, ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test",
		VerifierID: "https://example.test/verifier", BootstrapToken: admin,
	}
	log := slog.New(slog.DiscardHandler)
	a, err := app.New(t.Context(), cfg, log, time.Now)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	web := httptest.NewServer(a.Handler())
	side, err := store.Open(context.Background(), dsn, log)
	if err != nil {
		t.Fatalf("open the database beside the server: %v", err)
	}
	t.Cleanup(func() {
		web.Close()
		for _, closing := range []func() error{a.Close, side.Close} {
			if err := closing(); err != nil {
				t.Error(err)
			}
		}
	})
	return &server{t: t, url: web.URL, data: data, db: side}
}

// answer is what a GraphQL request came back with.
type answer struct {
	Status int
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Extensions object
	}
	raw string
}

// post sends a document as it is.
func (s *server) post(token, query string, variables any) answer {
	s.t.Helper()
	body, err := json.Marshal(object{"query": query, "variables": variables})
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{Status: response.StatusCode, raw: string(raw)}
	if err := json.Unmarshal(raw, &a); err != nil {
		s.t.Fatalf("not a GraphQL answer: %s", raw)
	}
	return a
}

// contract returns one operation of the contract with the fragments it needs.
func contract(t testing.TB, name string) string {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: schema.Contract})
	if err != nil {
		t.Fatal(err)
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		t.Fatalf("the contract has no operation %s", name)
	}
	one := &ast.QueryDocument{Operations: ast.OperationList{op}}
	text := format(one)
	for _, f := range doc.Fragments {
		if strings.Contains(text, "... "+f.Name) || strings.Contains(text, "..."+f.Name) {
			one.Fragments = append(one.Fragments, f)
		}
	}
	return format(one)
}

func format(doc *ast.QueryDocument) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(doc)
	return b.String()
}

// try sends an operation of the contract and returns what came back.
func (s *server) try(token, operation string, input any) answer {
	s.t.Helper()
	return s.post(token, contract(s.t, operation), object{"input": input})
}

// must sends an operation of the contract that has to succeed, and returns what stands at a path of its data.
func (s *server) must(token, operation string, input any, path ...string) any {
	s.t.Helper()
	a := s.try(token, operation, input)
	if len(a.Errors) > 0 {
		s.t.Fatalf("%s: %s", operation, a.raw)
	}
	return a.at(s.t, path...)
}

func (a answer) at(t testing.TB, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(a.Data, &v); err != nil {
		t.Fatalf("no data in %s", a.raw)
	}
	for _, key := range path {
		m, ok := v.(object)
		if !ok {
			t.Fatalf("nothing at %v in %s", path, a.raw)
		}
		v = m[key]
	}
	return v
}

// code returns the code and the path of the first error; empty when there is none.
func (a answer) code() (code, path string) {
	if len(a.Errors) == 0 {
		return "", ""
	}
	code, _ = a.Errors[0].Extensions["code"].(string)
	path, _ = a.Errors[0].Extensions["path"].(string)
	return code, path
}

// trace is everything that is kept: rows of every table, and files. Two equal traces mean that nothing was written.
func (s *server) trace() string {
	s.t.Helper()
	var b strings.Builder
	ctx := auth.System(context.Background())
	s.inTree()
	for _, table := range migrate.Tables {
		rows, err := s.db.Read().QueryContext(ctx, "SELECT count(*) FROM "+table.Name)
		if err != nil {
			s.t.Fatal(err)
		}
		n := 0
		if rows.Next() {
			err = rows.Scan(&n)
		}
		if err := firstOf(err, rows.Err(), rows.Close()); err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d\n", table.Name, n)
	}
	err := filepath.WalkDir(s.data, func(path string, d os.DirEntry, err error) error {
		// What the server remembers of the log follows the events, a moment later than the database.
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), "log.checkpoint") {
			fmt.Fprintln(&b, path)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

// inTree waits until every event is in the log's tree.
func (s *server) inTree() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.db.Read().ActivityEvent.Query().Where(activityevent.LogIndexIsNil()).ExistX(auth.System(context.Background())); {
		if time.Now().After(deadline) {
			s.t.Fatal("events are not in the tree after ten seconds")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch gets a public path.
func (s *server) fetch(path string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d %v", path, response.StatusCode, err)
	}
	return string(body)
}

// quietly sends a body and returns the answer's; a server that dies on the way is an error like any other.
func (s *server) quietly(body string) (string, error) {
	request, err := http.NewRequest(http.MethodPost, s.url+"/graphql", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+admin)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return string(raw), err
}

// signalled is a context that ends when the process is told to stop, as that of the command is.
func signalled() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM)
}
