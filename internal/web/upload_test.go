package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/web"
)

// counting takes every part and answers with how many bytes there were.
func counting(_ context.Context, parts *multipart.Reader) (any, bool, error) {
	total := 0
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return map[string]int{"bytes": total}, total > 3, nil
		}
		if err != nil {
			return nil, false, err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return nil, false, err
		}
		total += len(b)
	}
}

func formOf(body string) string {
	return "--b\r\nContent-Disposition: form-data; name=content\r\n\r\n" + body + "\r\n--b--\r\n"
}

func TestUploads(t *testing.T) {
	d, _ := deps()
	d.Upload, d.MaxUpload = counting, 1000
	h := web.Handler(d)
	form := map[string]string{"Authorization": "Bearer " + goodToken, "Content-Type": "multipart/form-data; boundary=b"}
	for name, x := range map[string]exchange{
		"new":               {body: formOf("1234"), headers: form, status: 201, contains: []string{`{"bytes":4}`}, want: map[string]string{"Cache-Control": "no-store"}},
		"known":             {body: formOf("123"), headers: form, status: 200, contains: []string{`{"bytes":3}`}},
		"too much":          {body: formOf(strings.Repeat("x", 1000)), headers: form, status: 413, contains: []string{"RESOURCE_EXHAUSTED"}},
		"not a form":        {headers: map[string]string{"Authorization": "Bearer " + goodToken, "Content-Type": "application/json"}, status: 415, contains: []string{"multipart/form-data"}},
		"no boundary":       {headers: map[string]string{"Authorization": "Bearer " + goodToken, "Content-Type": "multipart/form-data"}, status: 415},
		"another method":    {method: http.MethodPut, headers: form, status: 405, want: map[string]string{"Allow": "POST"}},
		"anonymous":         {headers: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}, status: 401, contains: []string{"UNAUTHENTICATED"}},
		"a token not known": {headers: map[string]string{"Authorization": "Bearer x"}, status: 401},
		"an outage":         {headers: map[string]string{"Authorization": "Bearer outage"}, status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			x.path = "/evidence"
			if x.method == "" {
				x.method = http.MethodPost
			}
			x.run(t, h)
		})
	}
}

func TestAnUploadIsNotReadBeforeItIsKnownWhoSends(t *testing.T) {
	d, _ := deps()
	d.Upload, d.MaxUpload = counting, 1000
	r := httptest.NewRequest(http.MethodPost, "/evidence", iotest.ErrReader(errors.New("the body was read")))
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) { t.Error("the body was read"); return 0, io.EOF }))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	w := httptest.NewRecorder()
	web.Handler(d).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestRefusalsOfUploadsSayWhatTheApiWould(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"input":     {fault.At("metadata.provider", "too long"), 400, "BAD_USER_INPUT"},
		"forbidden": {fault.New(fault.Forbidden, "no"), 403, "FORBIDDEN"},
		"missing":   {fault.New(fault.NotFound, "no"), 404, "NOT_FOUND"},
		"conflict":  {fault.New(fault.Conflict, "no"), 409, "CONFLICT"},
		"state":     {fault.New(fault.FailedPrecondition, "no"), 409, "FAILED_PRECONDITION"},
		"size":      {fault.New(fault.ResourceExhausted, "no").With("limit", 5), 413, "RESOURCE_EXHAUSTED"},
		"outage":    {errors.New("no space left on the secret device"), 503, "INTERNAL"},
	} {
		t.Run(name, func(t *testing.T) {
			d, log := deps()
			d.MaxUpload = 1000
			d.Upload = func(context.Context, *multipart.Reader) (any, bool, error) { return nil, false, c.err }
			r := httptest.NewRequest(http.MethodPost, "/evidence", strings.NewReader(""))
			r.Header.Set("Authorization", "Bearer "+goodToken)
			r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			w := httptest.NewRecorder()
			web.Handler(d).ServeHTTP(w, r)
			var answer struct {
				Errors []struct {
					Message    string
					Extensions map[string]any
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 {
				t.Fatalf("answered %s", w.Body)
			}
			got := answer.Errors[0]
			if w.Code != c.status || got.Extensions["code"] != c.code {
				t.Errorf("%d %+v", w.Code, got)
			}
			if strings.Contains(w.Body.String(), "secret") || (c.code == "INTERNAL") != strings.Contains(log.String(), "secret device") {
				t.Errorf("answered %s, logged %s", w.Body, log)
			}
			if c.code == "BAD_USER_INPUT" && got.Extensions["path"] != "metadata.provider" {
				t.Errorf("no path in %+v", got)
			}
			if c.code == "RESOURCE_EXHAUSTED" && got.Extensions["limit"] != 5.0 {
				t.Errorf("no detail in %+v", got)
			}
		})
	}
}

func file(name, mediaType, body string) web.File {
	return web.File{
		Name: name, MediaType: mediaType, Digest: "sha256:12", Size: int64(len(body)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil },
	}
}

// get asks for a download of f.
func get(t *testing.T, method string, f web.File, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	d, _ := deps()
	d.Download = func(_ context.Context, id, attachment string) (web.File, error) {
		if id != "one" || attachment != "two" {
			t.Errorf("asked for %q %q", id, attachment)
		}
		return f, nil
	}
	r := httptest.NewRequest(method, "/evidence/one/attachments/two", nil)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler(d).ServeHTTP(w, r)
	return w
}

func TestNoDownloadIsRunByABrowser(t *testing.T) {
	const plain, mere = "text/plain; charset=utf-8", "application/octet-stream"
	for given, want := range map[string]string{
		"image/png": "image/png", "image/jpeg": "image/jpeg", "IMAGE/GIF": "image/gif", "application/pdf": "application/pdf",
		"application/json; charset=utf-7": "application/json", "application/vnd.cyclonedx+json": "application/vnd.cyclonedx+json",
		"text/plain; charset=utf-7": plain, "text/html": plain, "text/HTML; charset=utf-8": plain, "text/javascript": plain, "application/javascript": plain,
		"image/svg+xml": plain, "application/xhtml+xml": plain, "application/xml": plain, "text/css": plain, "application/vnd.cyclonedx+xml": plain,
		"application/x-shockwave-flash": mere, "video/mp4": mere, "": mere, "nonsense/": mere, "multipart/x-mixed-replace": mere, "message/rfc822": mere, "model/x+json": mere,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := get(t, method, file("a.html", given, "<script>"))
			for name, value := range map[string]string{
				"Content-Type": want, "Content-Length": "8", "ETag": `"sha256:12"`, "X-Content-Type-Options": "nosniff",
				"Content-Security-Policy": "sandbox; default-src 'none'", "Content-Disposition": `attachment; filename="a.html"; filename*=UTF-8''a.html`,
				"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Authorization",
			} {
				if got := w.Header().Get(name); got != value {
					t.Errorf("%s of %q: %s is %q, want %q", method, given, name, got, value)
				}
			}
			if body := w.Body.String(); w.Code != 200 || (body == "<script>") != (method == http.MethodGet) {
				t.Errorf("%s gives %d %q", method, w.Code, body)
			}
		}
	}
}

func TestNamesOfDownloadsStayNames(t *testing.T) {
	for _, name := range []string{"a b.txt", `"; filename="evil.html`, "a\\b", "café 文.pdf", "100%.txt", "a;b=c'd*", "x@y:z"} {
		w := get(t, http.MethodGet, file(name, "text/plain", ""))
		kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
		if err != nil || kind != "attachment" || params["filename"] != name {
			t.Errorf("%q is saved as %q, %v: %s", name, params["filename"], err, w.Header().Get("Content-Disposition"))
		}
	}
}

func TestADownloadThatTheCallerHasIsNotSent(t *testing.T) {
	w := get(t, http.MethodGet, file("a", "text/plain", "x"), "If-None-Match", `"sha256:12"`)
	if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
}

func TestDownloadsThatAreNotThereAreAllTheSame(t *testing.T) {
	d, _ := deps()
	d.Download = func(_ context.Context, id, _ string) (web.File, error) {
		if id == "unknown" {
			return web.File{}, fault.New(fault.NotFound, "no row 5")
		}
		return web.File{}, fault.New(fault.NotFound, "out of reach")
	}
	h := web.Handler(d)
	var bodies []string
	for _, path := range []string{"/evidence/unknown/raw", "/evidence/hidden/raw", "/evidence/hidden/attachments/x"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+goodToken)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s gives %d", path, w.Code)
		}
		bodies = append(bodies, w.Body.String())
	}
	if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("the answers differ: %q", bodies)
	}
	exchange{method: http.MethodGet, path: "/evidence/a/raw", status: http.StatusUnauthorized}.run(t, h)
	exchange{method: http.MethodPost, path: "/evidence/a/raw", status: http.StatusMethodNotAllowed}.run(t, h)
}

func TestADownloadThatBreaksIsCutOff(t *testing.T) {
	broken := file("a", "text/plain", strings.Repeat("x", 300_000))
	whole := broken.Open
	for name, open := range map[string]func(context.Context) (io.ReadCloser, error){
		"a reader that fails": func(ctx context.Context) (io.ReadCloser, error) {
			r, err := whole(ctx)
			return io.NopCloser(io.MultiReader(io.LimitReader(r, 200_000), iotest.ErrReader(errors.New("it was changed")))), err
		},
		"fewer bytes": func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("it was changed")), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, log := deps()
			broken.Open = open
			d.Download = func(context.Context, string, string) (web.File, error) { return broken, nil }
			server := httptest.NewServer(web.Handler(d))
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/evidence/a/raw", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+goodToken)
			response, err := http.DefaultClient.Do(r)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			if err == nil {
				t.Error("half a file was taken for a whole one")
			}
			if !strings.Contains(log.String(), "a download was cut off") {
				t.Errorf("logged %s", log)
			}
		})
	}
}

func TestADownloadThatCannotBeOpenedIsAnOutage(t *testing.T) {
	f := file("a", "text/plain", "x")
	f.Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("the bucket is gone") }
	w := get(t, http.MethodGet, f)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("ETag") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answered %d %v", w.Code, w.Header())
	}
}

func TestAnUploadMayTakeLongerThanOtherRequests(t *testing.T) {
	d, _ := deps()
	d.Upload, d.MaxUpload = counting, 1<<20
	server := httptest.NewUnstartedServer(web.Handler(d))
	server.Config.ReadTimeout = 200 * time.Millisecond
	server.Start()
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := formOf("1234")
	var head bytes.Buffer
	head.WriteString("POST /evidence HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + goodToken +
		"\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n")
	_, _ = conn.Write(head.Bytes())
	for _, piece := range []string{body[:20], body[20:30], body[30:]} {
		time.Sleep(150 * time.Millisecond)
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("answered %v, %v", response, err)
	}
	response.Body.Close()
}
