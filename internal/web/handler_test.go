package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/web"
)

const (
	goodToken = "good-token-0123456789"
	publicKey = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
)

type principalKey struct{}

// logBuffer is written to by requests that may still be ending.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// deps is a whole installation in miniature: a GraphQL handler that says who asked and how much they sent, and built pages.
func deps() (web.Deps, *logBuffer) {
	log := &logBuffer{}
	return web.Deps{
		GraphQL: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			if string(body) == "panic" {
				panic("the secret ingredient")
			}
			who, _ := r.Context().Value(principalKey{}).(string)
			_, _ = io.WriteString(w, "principal="+who+" id="+web.RequestID(r.Context()))
		}),
		Authenticate: func(ctx context.Context, bearer string) (context.Context, error) {
			switch bearer {
			case goodToken:
				return context.WithValue(ctx, principalKey{}, "ci"), nil
			case "outage":
				return nil, errors.New("dial tcp 10.0.0.7:5432: refused")
			default:
				return nil, fault.New(fault.Unauthenticated, "no row for hash 1234")
			}
		},
		Checks: []web.Check{
			{Name: "database", Ready: func(context.Context) error { return nil }},
			{Name: "signer", Ready: func(context.Context) error { return nil }},
		},
		ReleaseKey: []byte(publicKey),
		Dashboard: fstest.MapFS{
			"index.html":           {Data: []byte("<!doctype html><title>front page</title>")},
			"graphiql/index.html":  {Data: []byte("<!doctype html><title>explorer</title>")},
			"assets/main-1a2b.js":  {Data: []byte("console.log(1)")},
			"assets/main-1a2b.css": {Data: []byte("body{}")},
			"favicon.svg":          {Data: []byte("<svg/>")},
			".gitkeep":             {},
		},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

// exchange is a request and what its answer must and must not be.
type exchange struct {
	method, path  string
	headers       map[string]string
	body          string
	status        int
	want          map[string]string
	contains      []string
	lacks         []string
	absentHeaders []string
}

func (x exchange) run(t *testing.T, h http.Handler) {
	t.Helper()
	r := httptest.NewRequest(x.method, x.path, strings.NewReader(x.body))
	for name, value := range x.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != x.status {
		t.Errorf("status %d, want %d: %s", w.Code, x.status, w.Body)
	}
	for name, value := range x.want {
		if got := w.Header().Get(name); !strings.Contains(got, value) {
			t.Errorf("%s is %q, want %q in it", name, got, value)
		}
	}
	for _, name := range x.absentHeaders {
		if got, there := w.Header()[name]; there {
			t.Errorf("%s is there: %q", name, got)
		}
	}
	for _, part := range x.contains {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("%q is not in %s", part, w.Body)
		}
	}
	for _, part := range x.lacks {
		if strings.Contains(w.Body.String(), part) {
			t.Errorf("%q is in %s", part, w.Body)
		}
	}
	// What every answer promises.
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "frame-ancestors 'none'",
	} {
		if got := w.Header().Get(name); !strings.Contains(got, value) {
			t.Errorf("%s is %q, want %q in it", name, got, value)
		}
	}
	if id := w.Header().Get("X-Request-Id"); len(id) < 20 || id == x.headers["X-Request-Id"] {
		t.Errorf("X-Request-Id is %q", id)
	}
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "http") || strings.Contains(csp, "*") || strings.Contains(csp, "unsafe-eval") {
		t.Errorf("the policy lets too much in: %s", csp)
	}
}

func runAll(t *testing.T, h http.Handler, table map[string]exchange) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		t.Run(name, func(t *testing.T) { table[name].run(t, h) })
	}
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func TestRoutes(t *testing.T) {
	d, _ := deps()
	d.Routes = []web.Route{{Pattern: "/log/", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "tile")
	})}}
	runAll(t, web.Handler(d), map[string]exchange{
		"the process is alive":             {method: "GET", path: "/healthz", status: 200, contains: []string{"ok"}, want: map[string]string{"Cache-Control": "no-store"}},
		"HEAD is enough to ask":            {method: "HEAD", path: "/healthz", status: 200},
		"all checks pass":                  {method: "GET", path: "/readyz", status: 200, contains: []string{`{"checks":{"database":"ok","signer":"ok"},"status":"ready"}`}, want: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}},
		"the release key":                  {method: "GET", path: "/keys/release.pub", status: 200, contains: []string{publicKey}, want: map[string]string{"Content-Type": "application/x-pem-file", "Etag": `"`}},
		"metrics":                          {method: "GET", path: "/metrics", status: 200, contains: []string{"plimsoll_http_requests_total"}, want: map[string]string{"Cache-Control": "no-store"}},
		"the front page":                   {method: "GET", path: "/", status: 200, contains: []string{"front page"}, want: map[string]string{"Content-Type": "text/html", "Cache-Control": "no-cache", "Content-Security-Policy": "style-src 'self';"}},
		"the explorer":                     {method: "GET", path: "/graphiql", status: 200, contains: []string{"explorer"}, want: map[string]string{"Content-Security-Policy": "script-src 'self';"}},
		"an asset never changes":           {method: "GET", path: "/assets/main-1a2b.js", status: 200, contains: []string{"console.log"}, want: map[string]string{"Content-Type": "text/javascript", "Cache-Control": "immutable"}},
		"a style sheet":                    {method: "GET", path: "/assets/main-1a2b.css", status: 200, want: map[string]string{"Content-Type": "text/css"}},
		"a file with a fixed name":         {method: "GET", path: "/favicon.svg", status: 200, want: map[string]string{"Content-Type": "image/svg+xml", "Cache-Control": "no-cache"}},
		"an asset that is not there":       {method: "GET", path: "/assets/missing.js", status: 404, lacks: []string{"<"}, want: map[string]string{"Content-Type": "text/plain"}},
		"a page that is not there":         {method: "GET", path: "/nothing", status: 404, lacks: []string{"front page"}},
		"a document has one path":          {method: "GET", path: "/graphiql/index.html", status: 404},
		"a hidden file":                    {method: "GET", path: "/.gitkeep", status: 404},
		"a way out of the folder":          {method: "GET", path: "/assets/%2e%2e/%2e%2e/etc/passwd", status: 404},
		"a further route":                  {method: "GET", path: "/log/checkpoint", status: 200, contains: []string{"tile"}},
		"a further route is for reading":   {method: "POST", path: "/log/checkpoint", status: 405},
		"GET on the API":                   {method: "GET", path: "/graphql", status: 405, want: map[string]string{"Allow": "POST"}},
		"OPTIONS on the API":               {method: "OPTIONS", path: "/graphql", headers: map[string]string{"Origin": "https://evil.example"}, status: 405, absentHeaders: []string{"Access-Control-Allow-Origin"}},
		"an invented method":               {method: "BREW", path: "/graphql", status: 405},
		"POST on the front page":           {method: "POST", path: "/", status: 405, want: map[string]string{"Allow": "GET, HEAD"}},
		"DELETE on the key":                {method: "DELETE", path: "/keys/release.pub", status: 405, lacks: []string{"BEGIN"}},
		"an id chosen by the caller":       {method: "GET", path: "/healthz", headers: map[string]string{"X-Request-Id": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}, status: 200},
		"a body on the way to health":      {method: "POST", path: "/healthz", body: "x", status: 405},
		"the API below its path":           {method: "POST", path: "/graphql/", body: "x", headers: bearer(goodToken), status: 405},
		"the API of someone known":         {method: "POST", path: "/graphql", headers: bearer(goodToken), status: 200, contains: []string{"principal=ci id="}, want: map[string]string{"Cache-Control": "no-store"}},
		"a query string changes no answer": {method: "GET", path: "/healthz?x=1", status: 200},
	})
}

func TestWhoIsAsking(t *testing.T) {
	d, _ := deps()
	refused := func(authorization string) exchange {
		return exchange{
			method: "POST", path: "/graphql", headers: map[string]string{"Authorization": authorization}, status: 401,
			contains: []string{`{"errors":[{"message":"`, `"extensions":{"code":"UNAUTHENTICATED"}}]}`},
			lacks:    []string{"principal", `"data"`, "no row", "1234"},
			want:     map[string]string{"Www-Authenticate": "Bearer", "Content-Type": "application/json", "Cache-Control": "no-store"},
		}
	}
	negotiated := refused("Bearer nobody")
	negotiated.headers["Accept"] = "application/graphql-response+json"
	negotiated.want["Content-Type"] = "application/graphql-response+json"
	runAll(t, web.Handler(d), map[string]exchange{
		"nobody in particular goes on anonymously": {method: "POST", path: "/graphql", status: 200, contains: []string{"principal= "}},
		"the scheme is written in any case":        {method: "POST", path: "/graphql", headers: map[string]string{"Authorization": "bEARER " + goodToken}, status: 200, contains: []string{"principal=ci"}},
		"a token that is not known":                refused("Bearer nobody"),
		"the refusal speaks the client's type":     negotiated,
		"an empty header":                          refused(""),
		"a scheme without a token":                 refused("Bearer"),
		"a scheme and spaces":                      refused("Bearer   "),
		"a token without a scheme":                 refused(goodToken),
		"another scheme":                           refused("Basic Z29vZDp0b2tlbg=="),
		"two tokens":                               refused("Bearer " + goodToken + " " + goodToken),
		"two tokens with a comma":                  refused("Bearer " + goodToken + ", Bearer x"),
		"a token with a quote":                     refused(`Bearer "` + goodToken + `"`),
		"a token that is too long":                 refused("Bearer " + strings.Repeat("x", 9000)),
		"an outage is not the caller's fault": {
			method: "POST", path: "/graphql", headers: bearer("outage"), status: 503,
			contains: []string{`"code":"INTERNAL"`, `"reference":"`}, lacks: []string{"10.0.0.7", "UNAUTHENTICATED"},
		},
		"a token in the URL is no token": {method: "POST", path: "/graphql?access_token=" + goodToken, status: 200, contains: []string{"principal= "}},
	})

	t.Run("two headers", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		r.Header["Authorization"] = []string{"Bearer " + goodToken, "Bearer " + goodToken}
		w := httptest.NewRecorder()
		web.Handler(d).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("status %d", w.Code)
		}
	})
}

func TestBodyLimits(t *testing.T) {
	d, _ := deps()
	over := strings.Repeat("x", web.MaxAnonymousBody+1)
	runAll(t, web.Handler(d), map[string]exchange{
		"a stranger sends up to the small limit": {method: "POST", path: "/graphql", body: over[1:], status: 200},
		"a stranger sends more":                  {method: "POST", path: "/graphql", body: over, status: 413},
		"someone known sends more":               {method: "POST", path: "/graphql", headers: bearer(goodToken), body: over, status: 200},
		"someone unknown sends more":             {method: "POST", path: "/graphql", headers: bearer("nobody"), body: over, status: 401},
	})
}

func TestMoreMethodsForGraphQL(t *testing.T) {
	d, _ := deps()
	d.GraphQLMethods = []string{http.MethodGet, http.MethodPost}
	runAll(t, web.Handler(d), map[string]exchange{
		"GET is passed on":  {method: "GET", path: "/graphql?query={__typename}", headers: bearer(goodToken), status: 200, contains: []string{"principal=ci"}},
		"GET asks who":      {method: "GET", path: "/graphql", headers: bearer("nobody"), status: 401},
		"PUT is not":        {method: "PUT", path: "/graphql", status: 405, want: map[string]string{"Allow": "GET, POST"}},
		"POST is passed on": {method: "POST", path: "/graphql", status: 200},
	})
}

func TestWithoutBuiltPages(t *testing.T) {
	d, _ := deps()
	d.Dashboard = fstest.MapFS{".gitkeep": {}}
	d.ReleaseKey = nil
	d.Checks = nil
	table := map[string]exchange{
		"the front page says how to build it": {method: "GET", path: "/", status: 200, contains: []string{`Run "make frontend"`}, want: map[string]string{"Content-Type": "text/plain"}},
		"the explorer says how to build it":   {method: "GET", path: "/graphiql", status: 200, contains: []string{`Run "make frontend"`}},
		"the API works":                       {method: "POST", path: "/graphql", headers: bearer(goodToken), status: 200},
		"there is no release key":             {method: "GET", path: "/keys/release.pub", status: 404},
		"without checks it is ready":          {method: "GET", path: "/readyz", status: 200, contains: []string{`"status":"ready"`}},
	}
	runAll(t, web.Handler(d), table)
	d.Dashboard = nil
	runAll(t, web.Handler(d), table)
}

func TestNotReady(t *testing.T) {
	d, log := deps()
	d.Checks = []web.Check{
		{Name: "database", Ready: func(context.Context) error { return nil }},
		{Name: "signer", Ready: func(context.Context) error { return errors.New("open /srv/release.key: denied") }},
		{Name: "stuck", Ready: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	}
	h := web.Handler(d)
	// The caller's own deadline stands for the server's, so that the test does not wait for it.
	gone := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
	exchange{
		method: "GET", path: "/readyz", status: 503, contains: []string{`"stuck":"failed"`, `"status":"not ready"`},
		lacks: []string{"/srv", "denied", "context"},
	}.run(t, gone)
	if !strings.Contains(log.String(), "check=stuck") {
		t.Errorf("the log does not say which check failed: %s", log)
	}

	d.Checks = d.Checks[:2]
	d.Metrics = prometheus.NewRegistry()
	exchange{
		method: "GET", path: "/readyz", status: 503, contains: []string{`{"checks":{"database":"ok","signer":"failed"},"status":"not ready"}`},
		lacks: []string{"/srv", "denied"},
	}.run(t, web.Handler(d))
	if !strings.Contains(log.String(), "denied") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestNotModified(t *testing.T) {
	d, _ := deps()
	h := web.Handler(d)
	for _, path := range []string{"/", "/graphiql", "/assets/main-1a2b.js", "/keys/release.pub"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		exchange{method: "GET", path: path, headers: map[string]string{"If-None-Match": w.Header().Get("ETag")}, status: 304}.run(t, h)
		exchange{method: "GET", path: path, headers: map[string]string{"If-None-Match": `"other"`}, status: 200}.run(t, h)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	d, log := deps()
	h := web.Handler(d)
	exchange{
		method: "POST", path: "/graphql", headers: bearer(goodToken), body: "panic", status: 500,
		contains: []string{`"code":"INTERNAL"`, `"reference":"`}, lacks: []string{"secret", "goroutine"},
	}.run(t, h)
	if !strings.Contains(log.String(), "the secret ingredient") || !strings.Contains(log.String(), "status=500") {
		t.Errorf("the log does not tell of the panic: %s", log)
	}
	exchange{method: "POST", path: "/graphql", headers: bearer(goodToken), status: 200}.run(t, h)
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	d, _ := deps()
	d.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an ans")
		panic("too late")
	})
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("got %v, want http.ErrAbortHandler", cause)
		}
	}()
	web.Handler(d).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/graphql", nil))
	t.Error("half an answer was taken for a whole one")
}

func TestLogAndMetricsHoldNoSecrets(t *testing.T) {
	d, log := deps()
	d.Metrics = prometheus.NewRegistry()
	h := web.Handler(d)
	for _, x := range []exchange{
		{method: "POST", path: "/graphql?query=hunter2", headers: bearer(goodToken), body: "hunter3", status: 200},
		{method: "POST", path: "/graphql", headers: bearer("hunter4"), status: 401},
		{method: "POST", path: "/graphql", headers: bearer("hunter5 hunter5"), status: 401},
		{method: "BREW", path: "/some/path/of/the/caller", status: 405},
		{method: "GET", path: "/" + strings.Repeat("long", 1000), status: 404},
		{method: "GET", path: "/healthz", status: 200},
	} {
		x.run(t, h)
	}
	for _, unwanted := range []string{goodToken, "hunter", "Bearer", "/healthz"} {
		if strings.Contains(log.String(), unwanted) {
			t.Errorf("%q is in the log: %s", unwanted, log)
		}
	}
	for _, part := range []string{"method=POST path=/graphql status=200", "status=401", "path=/some/path/of/the/caller", "longlon…"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("%q is not in the log: %s", part, log)
		}
	}
	exchange{method: "GET", path: "/metrics", status: 200, contains: []string{
		`plimsoll_http_requests_total{code="200",method="POST",route="/graphql"} 1`,
		`plimsoll_http_requests_total{code="401",method="POST",route="/graphql"} 2`,
		`plimsoll_http_requests_total{code="405",method="other",route="/"} 1`,
		`plimsoll_http_request_duration_seconds_bucket{method="POST",route="/graphql"`,
	}, lacks: []string{"hunter", "BREW", "caller", "longlong"}}.run(t, h)
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"Bearer " + goodToken, "bearer", "Basic x", "Bearer a,b", "\x00", "Bearer  ="} {
		f.Add(seed)
	}
	d, _ := deps()
	h := web.Handler(d)
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		r.Header["Authorization"] = []string{authorization}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusOK && strings.TrimRight(strings.TrimLeft(authorization[len("Bearer"):], " "), " ") == goodToken:
		case w.Code == http.StatusUnauthorized, w.Code == http.StatusServiceUnavailable:
		default:
			t.Errorf("%q was answered with %d", authorization, w.Code)
		}
	})
}
