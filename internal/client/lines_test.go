package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
)

// lines asks for lines, and goes on at what came, as who exports does.
func lines(t *testing.T, handler http.HandlerFunc) (got []string, err error) {
	t.Helper()
	web := httptest.NewServer(handler)
	defer web.Close()
	cl, err := client.New(web.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	err = client.Retry(t.Context(), time.Millisecond, func() error {
		return cl.Lines(t.Context(), fmt.Sprint("/lines?from=", len(got)), func(line []byte) error {
			if string(line) == "bad" {
				return errors.New("a bad line")
			}
			got = append(got, string(line))
			return nil
		})
	})
	return got, err
}

func TestLinesComeWholeAndOnceAlthoughTheAnswerIsCutOff(t *testing.T) {
	asked := 0
	got, err := lines(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Error("nobody asks")
		}
		switch asked {
		case 1: // in the middle of a line
			_, _ = io.WriteString(w, "one\ntw")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"errors":[{"message":"later","extensions":{"code":"INTERNAL"}}]}`)
		case 3: // at its end
			_, _ = io.WriteString(w, "two\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			_, _ = io.WriteString(w, strings.Repeat("x", 200_000)+"\n")
		}
	})
	if err != nil || asked != 4 || len(got) != 3 || !slices.Equal(got[:2], []string{"one", "two"}) || len(got[2]) != 200_000 {
		t.Errorf("after %d answers there are %d lines: %v", asked, len(got), err)
	}
}

func TestLinesThatCannotBeAreNotAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":[{"message":"not yours","extensions":{"code":"FORBIDDEN"}}]}`)
		}, "FORBIDDEN: not yours"},
		"not there":    {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404"},
		"a bad line":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "bad\n") }, "a bad line"},
		"without end":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 2<<20)) }, "read answer"},
		"sent onwards": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "302"},
	} {
		asked := 0
		_, err := lines(t, func(w http.ResponseWriter, r *http.Request) { asked++; c.answer(w, r) })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), token) || asked != 1 && name != "without end" {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
	}
}
