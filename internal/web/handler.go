package web

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Deps is what the handler passes requests on to.
type Deps struct {
	// GraphQL executes what is sent to /graphql. The context holds what Authenticate put there.
	GraphQL http.Handler
	// GraphQLMethods are the methods that GraphQL gets; others are answered with 405. Nil means POST alone. Add GET when
	// GraphQL takes queries in the URL or WebSockets.
	GraphQLMethods []string
	// Authenticate resolves a bearer token and returns the context with its principal. A fault.Error of kind
	// UNAUTHENTICATED is answered with 401; any other error is an outage and answered with 503.
	Authenticate func(ctx context.Context, bearer string) (context.Context, error)
	// Upload takes what is sent to /evidence, part by part, and returns the answer and whether it is about something new. A
	// fault.Error is answered with the status of its kind; any other error is an outage and answered with 503.
	Upload func(ctx context.Context, parts *multipart.Reader) (answer any, created bool, err error)
	// MaxUpload is the largest body of an upload in bytes.
	MaxUpload int64
	// Download finds the raw bytes of the evidence with an id, or when the second id is not empty its attachment.
	Download func(ctx context.Context, evidenceID, attachmentID string) (File, error)
	// Passport gathers the passport of the release with a digest, without the files with others. Nil: there are none to send.
	Passport func(ctx context.Context, digest string, leaveOut []string) (Passport, error)
	// SonarQube takes webhooks. Nil: none are taken.
	SonarQube *SonarQube
	// Log is the transparency log. Nil: there is none to serve.
	Log *Log
	// Export opens an export of the log for whoever asks; what it returns writes the lines. Nil: there is nothing to export.
	Export func(ctx context.Context, what Export) (write func(context.Context, io.Writer) error, err error)
	// Checks are asked by /readyz: all must pass for the service to be ready.
	Checks []Check
	// ReleaseKey is the public key that release attestations verify with, in PEM. Empty: there is none to serve.
	ReleaseKey []byte
	// Dashboard holds the built pages: index.html, graphiql/index.html and assets/ with a hash in every name. Nil, or without
	// index.html: the pages say how to build them.
	Dashboard fs.FS
	// Routes are served beside the built-in paths, for GET and HEAD.
	Routes []Route
	// Metrics is where request metrics are registered and what /metrics shows. Nil: a registry of its own.
	Metrics *prometheus.Registry
	// Logger gets one line a request, and every failure.
	Logger *slog.Logger
}

// Route is a further path: Pattern as http.ServeMux takes it, without a method.
type Route struct {
	Pattern string
	Handler http.Handler
}

// Handler routes requests:
//
//	/graphql           the API
//	/evidence          large evidence and attachments: multipart/form-data
//	/evidence/{id}/…   downloads: raw, attachments/{id}
//	/passports/{digest}  a release with all that it takes to check it elsewhere: a zip file
//	/webhooks/…        what tools send by themselves: sonarqube
//	/graphiql          the API explorer, offline
//	/                  dashboard and its assets
//	/keys/release.pub  the public release key, PEM
//	/log/…             the transparency log: checkpoint, tile/…, entries/…, key
//	/log/export        events as lines of JSON, for systems that watch
//	/healthz           200 as long as the process answers
//	/readyz            200 or 503, and which check failed
//	/metrics           Prometheus
//
// It panics when two routes claim one pattern, which is a mistake in the program.
func Handler(deps Deps) http.Handler {
	registry := deps.Metrics
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	methods := deps.GraphQLMethods
	if methods == nil {
		methods = []string{http.MethodPost}
	}
	pages := newPages(deps.Dashboard)

	mux := http.NewServeMux()
	mux.Handle("/graphql", allow(methods, graphql(deps)))
	mux.Handle("/evidence", allow([]string{http.MethodPost}, upload(deps)))
	mux.Handle("/evidence/{id}/raw", reading(download(deps)))
	mux.Handle("/evidence/{id}/attachments/{attachment}", reading(download(deps)))
	if deps.Passport != nil {
		mux.Handle("/passports/{digest}", reading(passport(deps)))
	}
	mux.Handle("/webhooks/sonarqube", sonarQube(deps))
	mux.Handle("/graphiql", reading(pages.page("graphiql/index.html", explorerPolicy)))
	mux.Handle("/healthz", reading(http.HandlerFunc(alive)))
	mux.Handle("/readyz", reading(ready(deps.Checks, deps.Logger)))
	mux.Handle("/keys/release.pub", reading(releaseKey(deps.ReleaseKey)))
	if deps.Log != nil {
		mux.Handle("/log/checkpoint", reading(checkpoint(deps)))
		mux.Handle("/log/key", reading(logKeys(deps.Log.Keys)))
		mux.Handle("/log/tile/{path...}", reading(tile(deps)))
		for _, pattern := range []string{"/log/tile/entries/{path...}", "/log/entries/{path...}"} {
			mux.Handle(pattern, reading(entries(deps)))
		}
	}
	if deps.Export != nil {
		mux.Handle("/log/export", reading(export(deps)))
	}
	mux.Handle("/metrics", reading(noStore(promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))))
	mux.Handle("/assets/", reading(http.HandlerFunc(pages.asset)))
	mux.Handle("/{$}", reading(pages.page("index.html", dashboardPolicy)))
	mux.Handle("/", reading(http.HandlerFunc(pages.file)))
	for _, r := range deps.Routes {
		mux.Handle(r.Pattern, reading(r.Handler))
	}
	return identify(observe(mux, registry, deps.Logger, secure(recovered(deadlines(mux), deps.Logger))))
}

// reading allows GET and HEAD.
func reading(next http.Handler) http.Handler {
	return allow([]string{http.MethodGet, http.MethodHead}, next)
}

// allow answers other methods with 405 and says which there are (RFC 9110, section 15.5.6).
func allow(methods []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(methods, r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(methods, ", "))
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	})
}

func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
