package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// startOnS3 starts a service that keeps objects in a bucket, and gives the bucket, too.
func startOnS3(t *testing.T, dsn string) (*server, *s3mem.Backend) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("objects"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server())
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	data := t.TempDir()
	a, err := app.New(t.Context(), config.Config{
		Data: data, Database: dsn, ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test", BootstrapToken: admin,
		VerifierID: "https://example.test/verifier",
		Objects:    "s3://objects?region=here&use_path_style=true&endpoint=" + url.QueryEscape(bucket.URL),
	}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(a.Handler())
	t.Cleanup(func() {
		service.Close()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		bucket.Close()
	})
	return &server{t: t, url: service.URL, data: data}, backend
}

// upload is a body of /evidence.
type upload struct {
	metadata, content string
	attachments       [][3]string // name, media type, bytes
}

func (u upload) body(t testing.TB) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(disposition, mediaType, text string) {
		h := textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {mediaType}}
		to, err := w.CreatePart(h)
		if err == nil {
			_, err = io.WriteString(to, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	part(`form-data; name="metadata"`, "application/json", u.metadata)
	part(`form-data; name="content"; filename="content"`, "application/octet-stream", u.content)
	for _, a := range u.attachments {
		part(fmt.Sprintf(`form-data; name="attachment"; filename=%q`, a[0]), a[1], a[2])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// page is what a request came back with.
type page struct {
	status int
	header http.Header
	body   string
}

// exchange sends a request.
func (s *server) exchange(method, path, token, contentType, body string) page {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{response.StatusCode, response.Header, string(raw)}
}

func (s *server) get(path, token string) page {
	s.t.Helper()
	return s.exchange(http.MethodGet, path, token, "", "")
}

// receipt is what an upload is answered with.
type receipt struct {
	Evidence struct {
		ID, Digest, PredicateType, Category, Verification, DownloadPath string
		Verified                                                        bool
		Attachments                                                     []struct {
			Name, Digest, MediaType, DownloadPath string
			Size                                  int
		}
	}
	AlreadyKnown bool
	Errors       []struct {
		Message    string
		Extensions object
	}
}

func (s *server) upload(token string, u upload) (int, receipt) {
	s.t.Helper()
	body, contentType := u.body(s.t)
	p := s.exchange(http.MethodPost, "/evidence", token, contentType, body)
	var r receipt
	if err := json.Unmarshal([]byte(p.body), &r); err != nil {
		s.t.Fatalf("answered %d %s", p.status, p.body)
	}
	return p.status, r
}

const recording = "https://example.test/recording/v1"

// filmed is a document that is kept as it is, about the image.
func filmed(content string, attachments ...[3]string) upload {
	return upload{fmt.Sprintf(`{"provider":"camera","document":{"mediaType":"video/mp4","predicateType":%q,"subjects":[{"digest":%q}]}}`, recording, image), content, attachments}
}

func testUpload(t *testing.T, s *server) {
	t.Helper()
	s.settle("payments", "gateway")
	s.report("gateway", "1.0.0")
	film := strings.Repeat("\x00\xfffilm", 1<<20)
	script := `<script>alert(1)</script>`
	status, r := s.upload(admin, filmed(film, [3]string{"page.html", "text/html", script}))
	if status != http.StatusCreated || r.AlreadyKnown || r.Evidence.Digest != canonical.Digest([]byte(film)) || r.Evidence.Verified {
		t.Fatalf("answered %d %+v", status, r)
	}
	if status, again := s.upload(admin, filmed(film)); status != http.StatusOK || !again.AlreadyKnown || again.Evidence.ID != r.Evidence.ID || len(again.Evidence.Attachments) != 1 {
		t.Errorf("the same again is answered %d %+v", status, again)
	}
	if p := s.get(r.Evidence.DownloadPath, admin); p.status != http.StatusOK || p.body != film || p.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("downloaded %d bytes, %d %v", len(p.body), p.status, p.header)
	}
	p := s.get(r.Evidence.Attachments[0].DownloadPath, admin)
	if p.body != script || p.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(p.header.Get("Content-Disposition"), "attachment; ") {
		t.Errorf("downloaded %q, %v", p.body, p.header)
	}

	// The API shows the same.
	a := s.post(admin, `query($digest: Digest!) { evidence(digest: $digest) { id raw downloadPath size provider
		attachments { id name digest mediaType size downloadPath createdBy } } }`, object{"digest": r.Evidence.Digest})
	var shown struct {
		Evidence []struct {
			ID, DownloadPath, Provider string
			Raw                        *string
			Size                       int
			Attachments                []struct{ ID, Name, Digest, MediaType, DownloadPath, CreatedBy string }
		}
	}
	if err := json.Unmarshal(a.Data, &shown); err != nil || len(shown.Evidence) != 1 || len(shown.Evidence[0].Attachments) != 1 {
		t.Fatalf("the API shows %s", a.raw)
	}
	e := shown.Evidence[0]
	if e.ID != r.Evidence.ID || e.DownloadPath != r.Evidence.DownloadPath || e.Raw != nil || e.Size != len(film) || e.Provider != "camera" {
		t.Errorf("the API shows %s", a.raw)
	}
	if got := e.Attachments[0]; got.Name != "page.html" || got.DownloadPath != r.Evidence.Attachments[0].DownloadPath || got.CreatedBy == "" {
		t.Errorf("the API shows %s", a.raw)
	}
	if node := s.post(admin, `query($id: ID!) { node(id: $id) { ... on Attachment { name } } }`, object{"id": e.Attachments[0].ID}); node.at(t, "node", "name") != "page.html" {
		t.Errorf("the node is %s", node.raw)
	}
}

func TestAnUploadGoesToTheFolderAndBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) { testUpload(t, start(t, dsn)) })
}

func TestAnUploadGoesToABucketAndBack(t *testing.T) {
	s, backend := startOnS3(t, testdb.SQLite(t))
	testUpload(t, s)
	list, err := backend.ListBucket("objects", nil, gofakes3.ListBucketPage{})
	if err != nil || len(list.Contents) != 2 {
		t.Errorf("the bucket holds %+v, %v", list, err)
	}
}

func TestAGateReadsUploadedEvidence(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		manifest := s.report("gateway", "1.0.0")
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		s.guard("tested", "evidence-present", object{"predicateType": testResult, "signers": []string{"ci"}}, "QA", "ENTRY", "BLOCK")
		s.guard("small", "sbom-complete", object{}, "QA", "ENTRY", "BLOCK")
		s.move("1.0.0", "DEV", "COMPLETED")
		s.move("1.0.0", "QA", "BLOCKED")
		status, r := s.upload(admin, upload{metadata: `{}`, content: signed(t, ci, testResult, object{"result": "PASSED"}, manifest)})
		if status != http.StatusCreated || !r.Evidence.Verified || r.Evidence.PredicateType != testResult {
			t.Fatalf("answered %d %+v", status, r)
		}
		s.move("1.0.0", "QA", "BLOCKED")
		about := fmt.Sprintf(`{"document":{"mediaType":"application/vnd.cyclonedx+json","subjects":[{"digest":%q},{"applicationVersion":{"applicationKey":"gateway","version":"1.0.0"}}]}}`, image)
		if status, r = s.upload(admin, upload{metadata: about, content: bill}); status != http.StatusCreated {
			t.Fatalf("answered %d %+v", status, r)
		}
		s.move("1.0.0", "QA", "COMPLETED")
	})
}

func TestARefusedUploadLeavesNoTrace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		viewer := s.token("reader", "VIEWER", "payments")
		pusher := s.token("pusher", "EVIDENCE_PUSHER", "payments")
		before := s.trace()
		for name, c := range map[string]struct {
			token  string
			upload upload
			status int
			code   string
			path   string
		}{
			"by nobody":            {"", filmed("x"), http.StatusUnauthorized, "UNAUTHENTICATED", ""},
			"by a stranger":        {"a-token-nobody-knows", filmed("x"), http.StatusUnauthorized, "UNAUTHENTICATED", ""},
			"by a reader":          {viewer, filmed("x"), http.StatusForbidden, "FORBIDDEN", ""},
			"of a field too many":  {pusher, upload{metadata: `{"colour":"red"}`, content: "x"}, http.StatusBadRequest, "BAD_USER_INPUT", "metadata"},
			"of nothing signed":    {pusher, upload{metadata: `{}`, content: "x"}, http.StatusBadRequest, "BAD_USER_INPUT", "content"},
			"of an attachment ..":  {pusher, filmed("x", [3]string{"..", "text/plain", "x"}), http.StatusBadRequest, "BAD_USER_INPUT", "attachments.0.name"},
			"about what is hidden": {pusher, upload{metadata: `{"document":{"mediaType":"a/b","predicateType":"a:b","subjects":[{"applicationVersion":{"applicationKey":"other","version":"1"}}]}}`, content: "x"}, http.StatusNotFound, "NOT_FOUND", "metadata.document.subjects.0.applicationVersion"},
		} {
			status, r := s.upload(c.token, c.upload)
			if status != c.status || len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != c.code {
				t.Errorf("%s: answered %d %+v", name, status, r)
				continue
			}
			if path, _ := r.Errors[0].Extensions["path"].(string); path != c.path {
				t.Errorf("%s: the path is %q", name, path)
			}
		}
		if after := s.trace(); after != before {
			t.Errorf("a refusal left something behind:\n%s\n%s", before, after)
		}
	})
}

func TestEightUploadsAtOnceAreOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		body, contentType := filmed(strings.Repeat("film", 100_000), [3]string{"a", "text/plain", "1"}).body(t)
		var mu sync.Mutex
		statuses := map[int]int{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				p := s.exchange(http.MethodPost, "/evidence", admin, contentType, body)
				mu.Lock()
				defer mu.Unlock()
				statuses[p.status]++
			})
		}
		all.Wait()
		trace := s.trace()
		if statuses[http.StatusCreated] != 1 || statuses[http.StatusOK] != 7 || strings.Count(trace, "/objects/") != 2 || !strings.Contains(trace, "\nevidence 1\n") {
			t.Errorf("answered %v, left\n%s", statuses, trace)
		}
	})
}

func TestWhatAnotherProjectUploadedIsNotFound(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.must(admin, "CreateProject", object{"key": "other", "name": "Other"})
		status, r := s.upload(s.token("pusher", "EVIDENCE_PUSHER", "payments"), filmed("film", [3]string{"a", "text/plain", "1"}))
		if status != http.StatusCreated {
			t.Fatalf("answered %d %+v", status, r)
		}
		stranger, reader := s.token("stranger", "VIEWER", "other"), s.token("reader", "VIEWER", "payments")
		never := s.get("/evidence/nothing/raw", stranger)
		for _, path := range []string{r.Evidence.DownloadPath, r.Evidence.Attachments[0].DownloadPath} {
			if p := s.get(path, stranger); p.status != http.StatusNotFound || p.body != never.body {
				t.Errorf("%s gives a stranger %d %s", path, p.status, p.body)
			}
			if p := s.get(path, ""); p.status != http.StatusUnauthorized {
				t.Errorf("%s gives nobody %d", path, p.status)
			}
			if p := s.exchange(http.MethodHead, path, reader, "", ""); p.status != http.StatusOK || p.header.Get("Etag") == "" {
				t.Errorf("%s gives a reader %d", path, p.status)
			}
		}
	})
}

func TestAStoreThatTakesNothingLeavesNothingHalfWritten(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	// A file where the folder was: nothing can be written there, not even by root.
	if err := os.RemoveAll(filepath.Join(s.data, "objects")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.data, "objects"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := s.trace()
	status, r := s.upload(admin, filmed("film", [3]string{"a", "text/plain", "1"}))
	if status != http.StatusServiceUnavailable || r.Errors[0].Extensions["code"] != "INTERNAL" {
		t.Errorf("answered %d %+v", status, r)
	}
	if after := s.trace(); after != before {
		t.Errorf("half of it was written:\n%s\n%s", before, after)
	}
}

func TestObjectsAreAskedWhetherTheyAreReady(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	if p := s.get("/readyz", ""); p.status != http.StatusOK || !strings.Contains(p.body, `"objects":"ok"`) {
		t.Errorf("answered %d %s", p.status, p.body)
	}
	if err := os.RemoveAll(filepath.Join(s.data, "objects")); err != nil {
		t.Fatal(err)
	}
	if p := s.get("/readyz", ""); p.status != http.StatusServiceUnavailable || !strings.Contains(p.body, `"objects":"failed"`) {
		t.Errorf("answered %d %s", p.status, p.body)
	}
}

func TestChangedBytesAreNeverAWholeDownload(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	_, r := s.upload(admin, filmed("film"))
	digest := strings.TrimPrefix(r.Evidence.Digest, "sha256:")
	if err := os.WriteFile(filepath.Join(s.data, "objects", "sha256", digest[:2], digest), []byte("FILM"), 0o600); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+r.Evidence.DownloadPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if err == nil {
		t.Error("changed bytes were given as if they were whole")
	}
}
