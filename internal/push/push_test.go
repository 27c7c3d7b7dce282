package push_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/push"
)

const (
	bill     = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}`
	envelope = `{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`
	bundle   = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{},"dsseEnvelope":{}}`
	index    = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
)

// it is a digest to speak of.
var it = canonical.Digest([]byte("it"))

// sent is one upload as it arrived.
type sent struct {
	metadata map[string]any
	parts    []string // name, file name, type and size of each
	content  string
}

// fake is a server as far as pushing needs it.
type fake struct {
	t       *testing.T
	batches [][]client.Evidence
	bodies  []int64
	uploads []sent
	// first answers come before all others, as a status without more.
	first []int
	// refuse gives the code with which an item is refused.
	refuse func(client.Evidence) string
	// problem is the code of an answer that is an error as a whole.
	problem string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer the-token" {
		f.t.Errorf("came with %q", r.Header.Get("Authorization"))
	}
	switch {
	case len(f.first) > 0:
		w.WriteHeader(f.first[0])
		f.first = f.first[1:]
	case f.problem != "":
		json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"message": "no", "extensions": map[string]any{"code": f.problem}}}})
	case r.URL.Path == "/evidence":
		f.upload(w, r)
	default:
		f.submit(w, r)
	}
}

func (f *fake) submit(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Variables struct {
			Input struct{ Items []client.Evidence }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		f.t.Error(err)
	}
	items := request.Variables.Input.Items
	f.batches, f.bodies = append(f.batches, items), append(f.bodies, r.ContentLength)
	var results []any
	for i, item := range items {
		result := map[string]any{"index": i, "alreadyKnown": item.Provider == "known", "evidence": map[string]any{"digest": it, "predicateType": "p"}}
		if f.refuse != nil && f.refuse(item) != "" {
			result["evidence"], result["error"] = nil, map[string]any{"code": f.refuse(item), "path": "document.content", "message": "is wrong"}
		}
		results = append(results, result)
	}
	json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"submitEvidenceBatch": map[string]any{"results": results}}})
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request) {
	reader, err := r.MultipartReader()
	if err != nil {
		f.t.Fatal(err)
	}
	var s sent
	for {
		p, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			f.t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			f.t.Fatal(err)
		}
		s.parts = append(s.parts, strings.Join([]string{p.FormName(), p.FileName(), p.Header.Get("Content-Type")}, " "))
		if p.FormName() == "metadata" {
			if err := json.Unmarshal(b, &s.metadata); err != nil {
				f.t.Fatal(err)
			}
		} else if p.FormName() == "content" {
			s.content = string(b)
		}
	}
	f.uploads = append(f.uploads, s)
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(map[string]any{"evidence": map[string]any{"digest": canonical.Digest([]byte(s.content)), "predicateType": "p"}, "alreadyKnown": false})
}

func (f *fake) run(t *testing.T, call push.Call) (push.Summary, []push.Result, error) {
	t.Helper()
	f.t = t
	web := httptest.NewServer(f)
	defer web.Close()
	server, err := client.New(web.URL, "the-token")
	if err != nil {
		t.Fatal(err)
	}
	var told []push.Result
	call.Tell = func(r push.Result) { told = append(told, r) }
	summary, err := push.Run(t.Context(), server, call)
	return summary, told, err
}

// folder makes files in a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFoldersAreReadInOrderWithoutHiddenFilesAndLinks(t *testing.T) {
	dir := folder(t, map[string]string{
		"b.json": bill, "a.json": bill, "deep/er/c.json": bill, ".hidden.json": bill, ".git/d.json": bill,
	})
	if err := os.Symlink(filepath.Join(dir, "a.json"), filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	_, told, err := (&fake{}).run(t, push.Call{Paths: []string{dir, filepath.Join(dir, "a.json")}, Subjects: []string{it}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range told {
		rel, _ := filepath.Rel(dir, r.Path)
		got = append(got, rel)
	}
	if want := []string{"a.json", "b.json", "deep/er/c.json"}; !slices.Equal(got, want) {
		t.Errorf("pushed %v, want %v", got, want)
	}
}

func TestACallThatIsWrongSendsNothing(t *testing.T) {
	dir := folder(t, map[string]string{"sbom.json": bill, "a.txt": "", "b.txt": ""})
	sbom := filepath.Join(dir, "sbom.json")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(sbom, link); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		call push.Call
		want string
	}{
		"nothing":                      {push.Call{}, "nothing to push"},
		"a folder without files":       {push.Call{Paths: []string{t.TempDir()}}, "nothing to push"},
		"a file that is not there":     {push.Call{Paths: []string{dir + "/none"}}, "no such file"},
		"a link":                       {push.Call{Paths: []string{link}}, "links are not followed"},
		"a subject of no kind":         {push.Call{Paths: []string{sbom}, Subjects: []string{"gateway"}}, "sha256: and 64"},
		"a subject that is no file":    {push.Call{Paths: []string{sbom}, Subjects: []string{"file:" + dir + "/none"}}, "no such file"},
		"a build without a number":     {push.Call{Paths: []string{sbom}, Builds: []string{"gateway"}}, "NAME#NUMBER"},
		"an application alone":         {push.Call{Paths: []string{sbom}, Application: "gateway"}, "go together"},
		"attachments of several files": {push.Call{Paths: []string{dir}, Attach: []string{sbom}}, "exactly one file"},
		"an attachment not there":      {push.Call{Paths: []string{sbom}, Attach: []string{dir + "/none"}}, "no such file"},
		"a folder attached":            {push.Call{Paths: []string{sbom}, Attach: []string{dir}}, "is not a file"},
		"a signature for a purl":       {push.Call{Paths: []string{sbom}, Subjects: []string{"pkg:npm/a@1"}, Key: key(t)}, "signs for digests"},
		"a signature for a version":    {push.Call{Paths: []string{sbom}, Application: "a", Version: "1", Key: key(t)}, "signs for digests"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			_, _, err := f.run(t, c.call)
			if _, ok := errors.AsType[*fault.Error](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("said %v, want a fault with %q", err, c.want)
			}
			if len(f.batches)+len(f.uploads) > 0 {
				t.Error("something was sent")
			}
		})
	}
}

func TestWhatIsSignedGoesAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		content   string
		envelopes int // 0: a document
	}{
		"an envelope":                    {envelope, 1},
		"an envelope on several lines":   {strings.ReplaceAll(envelope, ",", ",\n  "), 1},
		"a bundle":                       {bundle, 1},
		"lines of bundles":               {bundle + "\n" + bundle + "\n", 2},
		"attestations of an API":         {`{"attestations":[{"bundle":` + bundle + `},{"bundle":` + bundle + `}]}`, 2},
		"attestations of gh":             {`[{"attestation":{"bundle":` + bundle + `},"verificationResult":{}}]`, 1},
		"a bill of materials":            {bill, 0},
		"a list":                         {`[1, 2]`, 0},
		"text":                           {"TN:\nSF:a.c\n", 0},
		"JSON with a payload alone":      {`{"payload":"e30="}`, 0},
		"attestations of another kind":   {`{"attestations":[{"summary":"all is well"}]}`, 0},
		"XML":                            {"<testsuites/>", 0},
		"a broken envelope":              {envelope[:40], 0},
		"a document that names a bundle": {`{"bundle":"ours"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			path := filepath.Join(folder(t, map[string]string{"it": c.content}), "it")
			if _, _, err := f.run(t, push.Call{Paths: []string{path}, Subjects: []string{it}}); err != nil {
				t.Fatal(err)
			}
			items := f.batches[0]
			if c.envelopes == 0 {
				if len(items) != 1 || items[0].Document == nil || *items[0].Document.Content != c.content || items[0].Document.Subjects[0].Digest != it {
					t.Errorf("sent %+v, want a document, byte for byte", items)
				}
				return
			}
			if len(items) != c.envelopes {
				t.Fatalf("sent %d pieces, want %d", len(items), c.envelopes)
			}
			for _, item := range items {
				if item.Document != nil || item.Envelope != envelope && item.Envelope != bundle && item.Envelope != c.content {
					t.Errorf("sent %+v, want an envelope, byte for byte", item)
				}
			}
		})
	}
}

func TestADocumentNeedsASubjectUnlessItSaysByItself(t *testing.T) {
	f := &fake{}
	dir := folder(t, map[string]string{"sbom.json": bill, "index.json": index, "signed.json": envelope})
	summary, told, err := f.run(t, push.Call{Paths: []string{dir}})
	if err != nil || summary != (push.Summary{Accepted: 2, Refused: 1}) {
		t.Fatalf("%+v %v", summary, err)
	}
	if r := told[1]; r.Status != push.Refused || r.Code != "BAD_USER_INPUT" || !strings.Contains(r.Message, "--subject") {
		t.Errorf("said %+v", r)
	}
	if d := f.batches[0][0].Document; d.MediaType != "application/vnd.oci.image.index.v1+json" || d.Subjects == nil || len(d.Subjects) > 0 {
		t.Errorf("the index went as %+v", d)
	}
}

func TestSubjectsAreSentAsTheServerReadsThem(t *testing.T) {
	f := &fake{}
	dir := folder(t, map[string]string{"sbom.json": bill, "gateway.tar": "the gateway"})
	_, _, err := f.run(t, push.Call{
		Paths: []string{dir + "/sbom.json"}, Subjects: []string{it, "file:" + dir + "/gateway.tar", "pkg:npm/a@1"},
		Application: "gateway", Version: "1.0", Builds: []string{"main#ci#7"}, Provider: "ci", PredicateType: "https://example.test/p",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := f.batches[0][0]
	want := []client.Subject{
		{Digest: it},
		{Name: "gateway.tar", Digest: canonical.Digest([]byte("the gateway"))},
		{Purl: "pkg:npm/a@1"},
		{ApplicationVersion: &client.VersionRef{ApplicationKey: "gateway", Version: "1.0"}},
		{Build: &client.BuildRef{Name: "main#ci", Number: "7"}},
	}
	a, _ := json.Marshal(got.Document.Subjects)
	b, _ := json.Marshal(want)
	if string(a) != string(b) || got.Provider != "ci" || got.Document.PredicateType != "https://example.test/p" || got.Document.MediaType != "application/json" {
		t.Errorf("sent %s as %+v", a, got.Document)
	}
}

func TestADryRunNeedsNobody(t *testing.T) {
	dir := folder(t, map[string]string{
		"a-sbom.json": bill, "b-unknown.json": `{"hello":"world"}`, "c-signed.json": envelope, "d-index.json": index,
	})
	var told []push.Result
	summary, err := push.Run(t.Context(), nil, push.Call{
		Paths: []string{dir}, Subjects: []string{it}, DryRun: true, Tell: func(r push.Result) { told = append(told, r) },
	})
	if err != nil || summary != (push.Summary{Ready: 3, Refused: 1}) {
		t.Fatalf("%+v %v", summary, err)
	}
	if r := told[0]; r.PredicateType != "https://cyclonedx.org/bom" || r.Digest != canonical.Digest([]byte(bill)) || r.Status != push.Ready {
		t.Errorf("of the bill of materials it says %+v", r)
	}
	if r := told[1]; r.Status != push.Refused || !strings.Contains(r.Message, "not recognised") {
		t.Errorf("of what nobody knows it says %+v", r)
	}
}

func TestMoreFilesThanCanBePushedAtOnceAreRefusedBeforeAnythingIsSent(t *testing.T) {
	dir := t.TempDir()
	for i := range push.MaxFiles + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := push.Run(t.Context(), nil, push.Call{Paths: []string{dir}}); err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("said %v", err)
	}
}

// FuzzAnyFileIsToldApart: whatever a file holds, a dry run says of each piece what it is or why it is refused.
func FuzzAnyFileIsToldApart(f *testing.F) {
	for _, seed := range []string{bill, envelope, bundle, index, bundle + "\n" + bundle, `{"attestations":[{"bundle":` + bundle + `}]}`, `[{}]`, "<a/>", "\xff", "", "{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "it.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var told []push.Result
		summary, err := push.Run(t.Context(), nil, push.Call{
			Paths: []string{path}, Subjects: []string{it}, DryRun: true, Tell: func(r push.Result) { told = append(told, r) },
		})
		if err != nil || len(told) == 0 || summary.Ready+summary.Refused != len(told) {
			t.Errorf("%+v %v %+v", summary, err, told)
		}
		for _, r := range told {
			if r.Status == push.Refused && (r.Code == "" || r.Message == "") {
				t.Errorf("refused without a reason: %+v", r)
			}
		}
	})
}
