package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
)

const token = "the-secret-token"

func TestAnAddressCarriesNoSecret(t *testing.T) {
	for address, want := range map[string]string{
		"https://me:hunter2@plimsoll.example": "must not carry a user",
		"https://hunter2@plimsoll.example":    "must not carry a user",
		"https://plimsoll.example/?t=hunter2": "before any ?",
		"https://plimsoll.example/#hunter2":   "before any ?",
		"plimsoll.example":                    "must be like",
		"":                                    "must be like",
		"ftp://plimsoll.example":              "must be like",
		"http://%zz:hunter2@x":                "must be like",
	} {
		_, err := client.New(address, token)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q and no secret", address, err, want)
		}
	}
	if _, err := client.New("https://plimsoll.example/behind/a/path/", token); err != nil {
		t.Error(err)
	}
}

// server answers every request with a status and a body, and counts.
type server struct {
	status int
	body   string
	asked  int
	header http.Header
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked++
	s.header = r.Header
	_, _ = io.Copy(io.Discard, r.Body)
	if s.status >= 300 && s.status < 400 {
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.body)
}

func TestAnswersAreToldApart(t *testing.T) {
	forbidden := `{"errors":[{"message":"not yours","extensions":{"code":"FORBIDDEN","path":"input.x"}}]}`
	for name, c := range map[string]struct {
		status  int
		body    string
		want    string // what the error says; empty for none
		refused bool
		asked   int // by Retry
	}{
		"data":                      {200, `{"data":{"x":1}}`, "", false, 1},
		"a refusal":                 {200, forbidden, "FORBIDDEN: input.x: not yours", true, 1},
		"a refusal with its status": {401, strings.ReplaceAll(forbidden, "FORBIDDEN", "UNAUTHENTICATED"), "UNAUTHENTICATED: ", true, 1},
		"a defect":                  {200, strings.ReplaceAll(forbidden, "FORBIDDEN", "INTERNAL"), "INTERNAL: ", false, 1},
		"an outage":                 {503, strings.ReplaceAll(forbidden, "FORBIDDEN", "INTERNAL"), "INTERNAL: ", false, 5},
		"an outage of a proxy":      {502, "<html>", "502 Bad Gateway", false, 5},
		"no time":                   {200, strings.ReplaceAll(forbidden, "FORBIDDEN", "RESOURCE_EXHAUSTED"), "RESOURCE_EXHAUSTED: ", true, 5},
		"too large":                 {413, strings.ReplaceAll(forbidden, "FORBIDDEN", "RESOURCE_EXHAUSTED"), "RESOURCE_EXHAUSTED: ", true, 1},
		"a page":                    {200, "<html>", "not GraphQL", false, 1},
		"something empty":           {200, "{}", "not GraphQL", false, 1},
		"nothing there":             {404, "404 page not found", "404 Not Found", false, 1},
		"a redirection":             {302, "", "302 Found", false, 1},
		"a failure":                 {500, "", "500", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{status: c.status, body: c.body}
			web := httptest.NewServer(s)
			defer web.Close()
			cl, err := client.New(web.URL, token+"\n")
			if err != nil {
				t.Fatal(err)
			}
			var out struct{ X int }
			ask := func() error { return cl.Ask(t.Context(), client.Operation{Name: "Q", Document: "query Q { x }"}, &out) }
			upload := func() error {
				_, err := cl.Upload(t.Context(), client.Evidence{}, content("hello"), nil)
				return err
			}
			for way, try := range map[string]func() error{"an operation": ask, "an upload": upload} {
				s.asked = 0
				err := client.Retry(t.Context(), time.Millisecond, try)
				if way == "an upload" && (name == "data" || strings.HasPrefix(c.want, "not GraphQL")) {
					continue // what it gets is no receipt; see below
				}
				if fmt.Sprint(err) != "<nil>" != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, want %q", way, err, c.want)
				}
				p, ok := errors.AsType[*client.AnswerError](err)
				if refused := ok && p.Refused(); refused != c.refused || s.asked != c.asked {
					t.Errorf("%s: refused %v, asked %d times; want %v, %d", way, refused, s.asked, c.refused, c.asked)
				}
				if err != nil && strings.Contains(err.Error(), token) || s.header.Get("Authorization") != "Bearer "+token {
					t.Errorf("%s: %v, with %q", way, err, s.header.Get("Authorization"))
				}
			}
		})
	}
}

func content(text string) client.File {
	return client.File{Name: "it", MediaType: "text/plain", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func TestAnUploadIsAnsweredWithAReceiptOrFails(t *testing.T) {
	s := &server{status: http.StatusOK, body: `{"evidence":{"id":"x","digest":"sha256:1","predicateType":"p"},"alreadyKnown":true}`}
	web := httptest.NewServer(s)
	defer web.Close()
	cl, err := client.New(web.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := cl.Upload(t.Context(), client.Evidence{}, content("hello"), nil)
	if err != nil || !receipt.AlreadyKnown || receipt.Evidence.PredicateType != "p" {
		t.Errorf("%+v %v", receipt, err)
	}
	unreadable := client.File{Open: func() (io.ReadCloser, error) { return nil, errors.New("gone in the meantime") }}
	if _, err := cl.Upload(t.Context(), client.Evidence{}, content("hello"), []client.File{unreadable}); err == nil || !strings.Contains(err.Error(), "gone in the meantime") {
		t.Errorf("an attachment that cannot be read: %v", err)
	}
	s.body = `{"something":"else"}`
	if _, err := cl.Upload(t.Context(), client.Evidence{}, content("hello"), nil); err == nil {
		t.Error("an answer without evidence is a receipt")
	}
}

func TestNobodyThereIsTriedAgainUntilItIsEnough(t *testing.T) {
	cl, err := client.New("http://127.0.0.1:1", token)
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	ask := func() error {
		tries++
		_, err := cl.Send(t.Context(), client.Operation{})
		return err
	}
	if err := client.Retry(t.Context(), time.Millisecond, ask); err == nil || strings.Contains(err.Error(), token) || tries != 5 {
		t.Errorf("%v after %d tries", err, tries)
	}
	ctx, stop := context.WithCancel(t.Context())
	tries = 0
	// The first wait is longer than any test: only the end of ctx ends it.
	err = client.Retry(ctx, time.Hour, func() error { defer stop(); return ask() })
	if err == nil || tries != 1 {
		t.Errorf("%v after %d tries, when told to stop", err, tries)
	}
}

func TestFilesForEverybodyAreRead(t *testing.T) {
	s := &server{status: http.StatusOK, body: "the key"}
	web := httptest.NewServer(s)
	defer web.Close()
	cl, err := client.New(web.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := cl.With("another").Get(t.Context(), "/keys/release.pub"); err != nil || string(b) != "the key" || s.header.Get("Authorization") != "" {
		t.Errorf("%q %v", b, err)
	}
	s.status = http.StatusNotFound
	if _, err := cl.Get(t.Context(), "/keys/release.pub"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("what is not there: %v", err)
	}
}
