package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// readyTimeout is how long all checks together may take: load balancers give up after a few seconds.
const readyTimeout = 3 * time.Second

// Check is one thing that must work before requests can be served.
type Check struct {
	// Name is shown to everyone, "database" for example.
	Name string
	// Ready returns what is wrong, for the log alone. It is called with a deadline of a few seconds, and may be called by
	// several requests at once.
	Ready func(ctx context.Context) error
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}

// ready asks all checks at once and waits for none of them beyond the deadline.
func ready(checks []Check, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		status, answer := http.StatusOK, map[string]string{}
		for i, err := range askAll(ctx, checks) {
			name := checks[i].Name
			answer[name] = "ok"
			if err != nil {
				status, answer[name] = http.StatusServiceUnavailable, "failed"
				log.WarnContext(ctx, "not ready", slog.String("check", name), slog.Any("error", err))
			}
		}
		word := "ready"
		if status != http.StatusOK {
			word = "not ready"
		}
		body, err := json.Marshal(map[string]any{"status": word, "checks": answer})
		if err != nil {
			panic(err) // strings alone: cannot fail
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func askAll(ctx context.Context, checks []Check) []error {
	results := make([]error, len(checks))
	var wait sync.WaitGroup
	for i, check := range checks {
		wait.Go(func() {
			// Buffered: a check that comes back after the deadline finds nobody waiting and must still end.
			done := make(chan error, 1)
			go func() { done <- check.Ready(ctx) }()
			select {
			case results[i] = <-done:
			case <-ctx.Done():
				results[i] = ctx.Err()
			}
		})
	}
	wait.Wait()
	return results
}

func releaseKey(pem []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(pem) == 0 {
			http.Error(w, "this installation has no release key", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Header().Set("Cache-Control", "no-cache")
		serve(w, r, pem)
	})
}
