package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll/plimsoll/internal/web"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServeFinishesWhatRuns(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	entered, release := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "done")
	})
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, h, quiet()) }()

	type outcome struct {
		status int
		body   string
		err    error
	}
	answered := make(chan outcome, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		response, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answered <- outcome{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answered <- outcome{response.StatusCode, string(body), err}
	}()
	<-entered
	stop()
	// New connections are refused once the listener is closed, while the request still runs.
	for {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if got := <-answered; got.err != nil || got.status != http.StatusOK || got.body != "done" {
		t.Errorf("the request that ran got %+v", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// pipeListener hands out connections that are made in memory, so that a test can run on a fake clock.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestServeCutsOffWhatDoesNotFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		entered, ended := make(chan struct{}), make(chan struct{})
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(ended)
		})
		l := &pipeListener{connections: make(chan net.Conn, 1), closed: make(chan struct{})}
		here, there := net.Pipe()
		l.connections <- there
		served := make(chan error, 1)
		go func() { served <- web.Serve(ctx, l, h, quiet()) }()
		go func() { _, _ = io.WriteString(here, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }()

		<-entered
		started := time.Now()
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(started); took < 7*time.Second || took > 9*time.Second {
			t.Errorf("gave up after %s, want about 8 s", took)
		}
		<-ended
		if _, err := bufio.NewReader(here).ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the connection is still open: %v", err)
		}
	})
}

func TestServeTellsWhenTheListenerFails(t *testing.T) {
	l := listen(t)
	l.Close()
	if err := web.Serve(t.Context(), l, http.NotFoundHandler(), quiet()); err == nil {
		t.Error("no error")
	}
}
