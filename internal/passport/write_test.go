package passport_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
)

// small writes a passport of three files, one of which is left out.
func small(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := passport.NewWriter(&packed, passport.Index{Schema: "another", Application: "a", Version: "1", MadeAt: "2026-01-01T00:00:00Z"})
	for _, path := range []string{"evidence/aa", "verify.sh"} {
		if _, err := w.Add(path, passport.KindEvidence, "sha256:payload", strings.NewReader("content of "+path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.LeaveOut(passport.File{Path: "z", Kind: passport.KindDecision, Digest: "sha256:z", Size: 5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Close() == nil {
		t.Error("it is closed twice")
	}
	return packed.Bytes()
}

func TestTheSameFilesGiveTheSamePassport(t *testing.T) {
	one, two := small(t), small(t)
	if !bytes.Equal(one, two) {
		t.Error("two passports of the same files differ")
	}
	z, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name+" "+f.Mode().String())
	}
	if got := strings.Join(names, ", "); got != "evidence/aa -rw-r--r--, verify.sh -rwxr-xr-x, passport.json -rw-r--r--" {
		t.Errorf("it holds %s", got)
	}
	last, err := z.File[2].Open()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(last)
	if err != nil {
		t.Fatal(err)
	}
	var index passport.Index
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	normal, err := canonical.Normalize(text)
	if err != nil || !bytes.Equal(normal, text) || index.Schema != passport.Schema || len(index.Files) != 3 {
		t.Errorf("it says of itself %s", text)
	}
	want := passport.File{
		Path: "evidence/aa", Kind: passport.KindEvidence, Names: "sha256:payload", Size: 22, Digest: canonical.Digest([]byte("content of evidence/aa")),
	}
	if index.Files[0] != want || !index.Files[2].LeftOut {
		t.Errorf("it lists %+v", index.Files)
	}
}

func TestAWriterRefusesWhatIsNoPassport(t *testing.T) {
	broken := errors.New("it was changed")
	for what, do := range map[string]func(w *passport.Writer) error{
		"a path that leads out": func(w *passport.Writer) error { return add(w, "../a", "x") },
		"an absolute path":      func(w *passport.Writer) error { return add(w, "/a", "x") },
		"another separator":     func(w *passport.Writer) error { return add(w, `a\b`, "x") },
		"an index of its own":   func(w *passport.Writer) error { return add(w, "Passport.JSON", "x") },
		"no path":               func(w *passport.Writer) error { return add(w, "", "x") },
		"a folder":              func(w *passport.Writer) error { return add(w, "a/", "x") },
		"a control character":   func(w *passport.Writer) error { return add(w, "a\nb", "x") },
		"a file twice":          func(w *passport.Writer) error { return errors.Join(add(w, "a", "x"), add(w, "a", "x")) },
		"another order":         func(w *passport.Writer) error { return errors.Join(add(w, "b", "x"), add(w, "a", "x")) },
		"content that fails": func(w *passport.Writer) error {
			_, err := w.Add("a", passport.KindEvidence, "", iotest.ErrReader(broken))
			return err
		},
		"leaving out the manifest": func(w *passport.Writer) error {
			return w.LeaveOut(passport.File{Path: "manifest.json", Kind: passport.KindManifest})
		},
		"too many files": func(w *passport.Writer) error {
			for i := range passport.MaxFiles {
				if err := w.LeaveOut(passport.File{Path: strings.Repeat("a", 1+i/64) + "/" + string(rune('0'+i%64%10)) + strings.Repeat("z", i%64), Kind: passport.KindEvidence}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		var packed bytes.Buffer
		w := passport.NewWriter(&packed, passport.Index{})
		if err := do(w); err == nil {
			t.Errorf("%s is taken", what)
		}
		if w.Close() == nil {
			t.Errorf("after %s there is a passport", what)
		}
		if _, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len())); err == nil {
			t.Errorf("after %s what was written can be read", what)
		}
	}
}

func add(w *passport.Writer, path, content string) error {
	_, err := w.Add(path, passport.KindGuide, "", strings.NewReader(content))
	return err
}

// TestThePageRunsAndLoadsNothing fills every text of the page with what would run.
func TestThePageRunsAndLoadsNothing(t *testing.T) {
	const bad = `"><script src="https://evil.example/x.js"></script><img src=x onerror=alert(1)>`
	p := passport.Page{
		Index: passport.Index{Application: bad, Version: bad, ManifestDigest: bad, MadeAt: bad, VerifierID: bad},
		Name:  bad, Project: bad, Trust: bad, Standing: bad, StandingSince: bad, StandingCause: bad,
		Moves:   []passport.PageMove{{From: bad, To: bad, At: bad, Trust: bad, Gates: []passport.PageGate{{Stage: bad, Kind: bad, Decision: bad, EvalID: bad, Policies: []string{bad}}}}},
		Waivers: []passport.PageWaiver{{ID: bad, About: bad, ExpiresAt: bad}},
		Evidence: []passport.PageEvidence{
			{EvidenceRecord: passport.EvidenceRecord{Digest: bad, PredicateType: bad, Verification: bad, Signer: bad, Withdrawn: bad, Subjects: []passport.Subject{{Name: bad, Digest: bad}}}},
			{Missing: bad},
		},
		Parts: []passport.PagePart{{Name: bad, Kind: bad, Purl: bad, Digest: bad}}, Statements: []passport.PageStatement{{Path: "javascript:alert(1)", Says: bad, At: bad}},
		Origin: bad, Keys: []string{bad},
	}
	var page bytes.Buffer
	if err := p.Write(&page); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, forbidden := range []string{"<script", "<img", "onerror=alert(1)>", `href="javascript:`, "<link", "<iframe", "@import", "url("} {
		if strings.Contains(text, forbidden) {
			t.Errorf("the page holds %s", forbidden)
		}
	}
	if !strings.Contains(text, "default-src &#39;none&#39;") && !strings.Contains(text, "default-src 'none'") {
		t.Error("the page may load things")
	}
}
