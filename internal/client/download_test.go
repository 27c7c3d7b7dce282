package client_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/client"
)

func TestADownloadComesWholeOrFails(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/whole":
			w.Header().Set("Content-Disposition", `attachment; filename="a.zip"; filename*=UTF-8''a.zip`)
			_, _ = io.WriteString(w, strings.Repeat("x", 200_000)+r.Header.Get("Authorization"))
		case "/cut":
			_, _ = io.WriteString(w, strings.Repeat("x", 200_000))
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors":[{"message":"there is none","extensions":{"code":"NOT_FOUND"}}]}`)
		}
	}))
	defer web.Close()
	cl, err := client.New(web.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	var to bytes.Buffer
	if name, err := cl.Download(t.Context(), "/whole", &to); err != nil || name != "a.zip" || to.Len() != 200_000+len("Bearer "+token) {
		t.Errorf("%q, %d bytes, %v", name, to.Len(), err)
	}
	if _, err := cl.Download(t.Context(), "/cut", io.Discard); err == nil {
		t.Error("half a file is taken for a whole one")
	} else if _, no := errors.AsType[*client.NoAnswerError](err); !no {
		t.Errorf("half a file: %v", err)
	}
	_, err = cl.Download(t.Context(), "/none", io.Discard)
	if p, ok := errors.AsType[*client.AnswerError](err); !ok || p.Code != "NOT_FOUND" {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := cl.Download(t.Context(), "/whole", full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
