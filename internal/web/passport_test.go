package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/web"
)

// passports serves one that is written so, and tells what was asked for and whether it was closed.
func passports(t *testing.T, write func(context.Context, io.Writer) error) (server *httptest.Server, asked *[]string, closed *int, log *logBuffer) {
	t.Helper()
	d, log := deps()
	asked, closed = &[]string{}, new(int)
	d.Passport = func(_ context.Context, digest string, leaveOut []string) (web.Passport, error) {
		*asked = append([]string{digest}, leaveOut...)
		if digest == "hidden" {
			return web.Passport{}, fault.New(fault.NotFound, "there is no release with this digest")
		}
		if digest == "busy" {
			return web.Passport{}, fault.New(fault.ResourceExhausted, "ask again in a moment")
		}
		return web.Passport{Name: "a\"1.zip", Write: write, Close: func() { *closed++ }}, nil
	}
	server = httptest.NewServer(web.Handler(d))
	t.Cleanup(server.Close)
	return server, asked, closed, log
}

func fetch(t *testing.T, method, url string) (*fetched, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+goodToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return &fetched{response.StatusCode, response.Header}, string(body), err
}

// fetched is an answer whose body was read.
type fetched struct {
	StatusCode int
	Header     http.Header
}

func TestAPassportIsSentAsItIsMade(t *testing.T) {
	server, asked, closed, _ := passports(t, func(_ context.Context, to io.Writer) error {
		_, err := io.WriteString(to, "the zip")
		return err
	})
	response, body, err := fetch(t, http.MethodGet, server.URL+"/passports/sha256:1?leaveOut=sha256:2&leaveOut=sha256:3")
	if err != nil || response.StatusCode != http.StatusOK || body != "the zip" {
		t.Fatalf("answered %v %q %v", response, body, err)
	}
	h := response.Header
	if h.Get("Content-Type") != "application/zip" || h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Disposition"), `attachment; filename="a_1.zip"`) ||
		!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("with %v", h)
	}
	if got := strings.Join(*asked, " "); got != "sha256:1 sha256:2 sha256:3" || *closed != 1 {
		t.Errorf("asked for %s, closed %d times", got, *closed)
	}
	if response, body, err := fetch(t, http.MethodHead, server.URL+"/passports/sha256:1"); err != nil || response.StatusCode != http.StatusOK || body != "" || *closed != 2 {
		t.Errorf("HEAD: %v %q %v", response, body, err)
	}
	for path, want := range map[string]int{
		"/passports/hidden": http.StatusNotFound, "/passports/busy": http.StatusServiceUnavailable, "/passports/x?" + strings.Repeat("leaveOut=a&", 101): http.StatusBadRequest,
	} {
		if response, body, err := fetch(t, http.MethodGet, server.URL+path); err != nil || response.StatusCode != want || !strings.Contains(body, `"errors":[`) {
			t.Errorf("%.30s: %v %q %v", path, response, body, err)
		}
	}
	d, _ := deps()
	exchange{method: http.MethodGet, path: "/passports/x", status: http.StatusNotFound}.run(t, web.Handler(d))
	d.Passport = func(context.Context, string, []string) (web.Passport, error) {
		return web.Passport{}, errors.New("asked for one")
	}
	exchange{method: http.MethodGet, path: "/passports/x", status: http.StatusUnauthorized}.run(t, web.Handler(d))
	exchange{method: http.MethodPost, path: "/passports/x", status: http.StatusMethodNotAllowed}.run(t, web.Handler(d))
}

func TestAPassportThatBreaksIsCutOff(t *testing.T) {
	server, _, closed, log := passports(t, func(_ context.Context, to io.Writer) error {
		_, _ = io.WriteString(to, strings.Repeat("x", 300_000))
		return errors.New("the bytes were changed")
	})
	if _, _, err := fetch(t, http.MethodGet, server.URL+"/passports/sha256:1"); err == nil {
		t.Error("half a passport was taken for a whole one")
	}
	if !strings.Contains(log.String(), "an answer was cut off") || *closed != 1 {
		t.Errorf("closed %d times, logged %s", *closed, log)
	}
}
