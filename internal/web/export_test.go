package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/web"
)

// TestAnExportThatFailsInTheMiddleIsCutOff: whoever reads it must not take what came for the whole.
func TestAnExportThatFailsInTheMiddleIsCutOff(t *testing.T) {
	var said strings.Builder
	var asked web.Export
	server := httptest.NewServer(web.Handler(web.Deps{
		Authenticate: func(ctx context.Context, _ string) (context.Context, error) { return ctx, nil },
		Export: func(_ context.Context, what web.Export) (func(context.Context, io.Writer) error, error) {
			asked = what
			return func(_ context.Context, w io.Writer) error {
				if _, err := io.WriteString(w, strings.Repeat("x", 100_000)+"\n"); err != nil {
					return err
				}
				return errors.New("the database went away")
			}, nil
		},
		Logger: slog.New(slog.NewTextHandler(&said, nil)),
	}))
	defer server.Close()
	get := func(method string) (int, []byte, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/log/export?from=7", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer x")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, body, err
	}
	if _, body, err := get(http.MethodGet); err == nil || !strings.Contains(said.String(), "the database went away") {
		t.Errorf("%d bytes came, and it ended with %v", len(body), err)
	}
	if asked.From == nil || *asked.From != 7 || asked.Limit != nil || asked.Format != nil {
		t.Errorf("asked for %+v", asked)
	}
	if status, body, err := get(http.MethodHead); err != nil || status != http.StatusOK || len(body) > 0 {
		t.Errorf("HEAD gives %d with %d bytes: %v", status, len(body), err)
	}
}
