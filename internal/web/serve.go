package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// drainTimeout is how long running requests may go on after the order to stop. The process has 10 s in all.
	drainTimeout = 8 * time.Second
	// headerTimeout bounds the wait for a request's header, requestTimeout the wait for all of it: 64 MiB at 4 Mbit/s.
	headerTimeout  = 10 * time.Second
	requestTimeout = 130 * time.Second
	// answerTimeout bounds the time from a request's header to the last byte of its answer.
	answerTimeout = requestTimeout + 60*time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeader bounds request line and header in bytes: room for a long token.
	maxHeader = 64 << 10
)

// Serve answers requests on the listener, which it closes, until ctx is done. Then it takes no new connections, lets what
// runs come to its end, and after 8 s cuts off the rest. It returns nil when it was told to stop, and an error when
// the listener fails by itself. Requests do not see ctx end.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	log.InfoContext(ctx, "stopping: finishing what runs")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(draining); err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			log.WarnContext(ctx, "stop listening", slog.Any("error", err))
		}
		log.WarnContext(ctx, "cutting off requests that did not finish in time", slog.Duration("after", drainTimeout))
		// What could still fail is the closing of connections that are given up anyway.
		_ = server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	}
	return nil
}
