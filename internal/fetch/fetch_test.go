package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/fetch"
)

func serve(tb testing.TB, handler http.HandlerFunc) string {
	tb.Helper()
	s := httptest.NewServer(handler)
	tb.Cleanup(s.Close)
	return s.URL
}

func get(url, known string) (name, got string, err error) {
	var b bytes.Buffer
	name, err = fetch.New().Get(context.Background(), url, known, 100, &b)
	return name, b.String(), err
}

func TestWhatIsNamedIsGotOnce(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tag := r.URL.Query().Get("tag"); tag != "" {
			w.Header().Set("ETag", tag)
		}
		if r.Header.Get("If-None-Match") == `"a"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "here")
	})
	const digest = "sha256:edf27fba2acfec97ff8d90a8ca68aaa6de0ba04ac7fe6dbd66ddb6f6aff4b8f6"
	for _, step := range []struct{ query, known, name, got string }{
		{"", "", "sha256:", "here"},
		{"", digest, "sha256:", "here"}, // a digest is no name that a server knows
		{`?tag="a"`, "", `"a"`, "here"},
		{`?tag="a"`, `"a"`, `"a"`, ""},
		{`?tag=W/"b"`, `"c"`, `W/"b"`, "here"},
		{"?tag=odd", "", "sha256:", "here"},
	} {
		name, got, err := get(url+"/"+step.query, step.known)
		if err != nil || got != step.got || !strings.HasPrefix(name, step.name) {
			t.Errorf("%+v: %q %q %v", step, name, got, err)
		}
	}
}

func TestARequestThatIsSentOnTellsNoSecret(t *testing.T) {
	var seen []string
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Referer(), r.Header.Get("Authorization"), r.URL.RawQuery)
	})
	other = strings.Replace(other, "127.0.0.1", "localhost", 1) // another host
	first := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) })
	if _, _, err := get(strings.Replace(first, "://", "://eve:hunter2@", 1)+"/?key=hunter2", ""); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || strings.Join(seen, "") != "" {
		t.Errorf("the other server was told %q", seen)
	}
}

func TestASentenceSaysWhyAndNothingElse(t *testing.T) {
	hops := 0
	count := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if hops++; hops <= 5 {
			http.Redirect(w, r, "/?key=hunter2", http.StatusFound)
		}
	})
	if _, _, err := get(count, ""); err != nil {
		t.Errorf("five times is not too often: %v", err)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	silent := httptest.NewServer(http.NotFoundHandler())
	silent.Close()
	for want, url := range map[string]string{
		"cannot be read":        "http://hunter2:hunter2@[",
		"cannot be reached":     silent.URL + "/?key=hunter2",
		"cannot be resolved":    "http://hunter2.invalid/",
		"no secure connection":  secure.URL + "/hunter2",
		"answered 404":          serve(t, http.NotFound) + "/hunter2",
		"larger than 100 bytes": serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 101)) }) + "/hunter2",
		"the request failed": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[hunter2")
			w.WriteHeader(http.StatusFound)
		}),
	} {
		var said *fetch.Error
		if _, _, err := get(url, ""); !errors.As(err, &said) || !strings.Contains(said.Error(), want) || strings.Contains(said.Error(), "hunter2") {
			t.Errorf("%s: %v", want, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := fetch.New().Get(ctx, count, "", 100, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("who was told to end says so: %v", err)
	}
}

func TestShownHidesWhatMayBeSecret(t *testing.T) {
	for text, want := range map[string]string{
		"https://u:p@h.example:8443/a/b?key=k#f": "https://h.example:8443/a/b", "http://h/": "http://h/", "https://u:p@[": "",
	} {
		if got := fetch.Shown(text); got != want {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}
