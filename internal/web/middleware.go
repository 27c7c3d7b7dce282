package web

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type requestIDKey struct{}

// RequestID returns the id that the request's answer carries as X-Request-Id, or "" outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identify gives each request an id of its own. One sent by the caller is not taken over: it would let a caller choose
// what the log says.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// secure sets what every answer carries. Pages replace the content security policy by their own.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", barePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}

// recovered turns a panic into one failed request. When the answer has begun, the connection is cut, so that half an answer is
// not taken for a whole one.
func recovered(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watched := &watchedWriter{ResponseWriter: w}
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			log.ErrorContext(r.Context(), "panic while answering", slog.String("request", RequestID(r.Context())),
				slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
			if watched.status != 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Del("ETag")
			writeError(w, r, http.StatusInternalServerError, "INTERNAL", "something went wrong here; it has been logged")
		}()
		next.ServeHTTP(watched, r)
	})
}

// deadlines bound how long an answer may take to write, so that a caller who reads slowly cannot hold a connection for
// ever. Streams, which live as long as someone listens, have none, neither for reading nor for writing.
func deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		// Errors mean that the writer has no deadlines, as in tests without a connection.
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") || r.Header.Get("Upgrade") != "" {
			_ = control.SetReadDeadline(time.Time{})
		} else {
			_ = control.SetWriteDeadline(time.Now().Add(answerTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// observe writes one line a request and counts it under its route's pattern: paths are chosen by callers and would fill
// the metrics.
func observe(mux *http.ServeMux, registry prometheus.Registerer, log *slog.Logger, next http.Handler) http.Handler {
	labels := []string{"route", "method", "code"}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "plimsoll_http_requests_total", Help: "Requests answered.",
	}, labels)
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "plimsoll_http_request_duration_seconds", Help: "Time from the end of a request's header to the end of its answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, labels[:2])
	registry.MustRegister(requests, durations)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		watched := &watchedWriter{ResponseWriter: w}
		_, route := mux.Handler(r)
		finished := false
		defer func() {
			status := watched.status
			switch {
			case !finished:
				status = http.StatusInternalServerError // cut off by a panic
			case status == 0:
				status = http.StatusOK
			}
			took, method := time.Since(start), knownMethod(r.Method)
			requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
			durations.WithLabelValues(route, method).Observe(took.Seconds())
			log.Log(r.Context(), interest(route, status), "request",
				slog.String("request", RequestID(r.Context())),
				slog.String("method", method),
				slog.String("path", shortened(r.URL.Path)),
				slog.Int("status", status),
				slog.Int64("bytes", watched.bytes),
				slog.Duration("took", took),
				slog.String("remote", r.RemoteAddr))
		}()
		next.ServeHTTP(watched, r)
		finished = true
	})
}

// interest keeps the questions of probes and scrapers, several a minute, out of the usual log, unless the answer is bad.
func interest(route string, status int) slog.Level {
	switch route {
	case "/healthz", "/readyz", "/metrics":
		if status < http.StatusBadRequest {
			return slog.LevelDebug
		}
	}
	return slog.LevelInfo
}

// knownMethod keeps invented methods out of the metrics.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

func shortened(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return path[:most] + "…"
}

// watchedWriter notes what was written. It passes flushing and deadlines through by Unwrap and Flush.
type watchedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *watchedWriter) WriteHeader(status int) {
	// Informational answers come before the real one.
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watchedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, which streaming transports look for.
func (w *watchedWriter) Flush() {
	// An error means that there is nothing to flush to.
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap gives http.ResponseController the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
