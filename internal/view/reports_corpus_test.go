package view_test

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

// corpusFolder gives the files below a folder of the corpus, by path.
func corpusFolder(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	corpus := os.Getenv("PLIMSOLL_CORPUS")
	if corpus == "" {
		t.Skip("run by make test-corpus")
	}
	files := map[string][]byte{}
	root := filepath.Join(corpus, folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "README.md" {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// TestPredicatesOfTheCorpus reads the statement of every envelope and bundle.
func TestPredicatesOfTheCorpus(t *testing.T) {
	t.Parallel()
	// Built from no repository: from a bucket, or from what is not said.
	sourceless := map[string]bool{"gcloud-container-gcs.json": true, "oci-dsse-att.json": true}
	seen, views := 0, 0
	for name, content := range corpusFolder(t, "attestations") {
		for _, statement := range statements(content, 0) {
			seen++
			v, known, err := view.Read(statement.PredicateType, statement.Predicate)
			switch {
			case !known:
				t.Logf("%s: %s has no view", name, statement.PredicateType)
			case err != nil:
				t.Errorf("%s: %s: %v", name, statement.PredicateType, err)
			case v.Provenance != nil && (v.Provenance.BuilderID == "" || v.Provenance.SourceRepository == "" && !sourceless[filepath.Base(name)] || strings.HasPrefix(v.Provenance.SourceRepository, "git+")):
				t.Errorf("%s: %s: %+v", name, statement.PredicateType, v.Provenance)
			default:
				views++
			}
		}
	}
	if views < 50 {
		t.Errorf("only %d of %d statements have a view: is the corpus whole?", views, seen)
	}
	t.Logf("%d of %d statements have a view", views, seen)
}

type statement struct {
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// statements finds what is or holds a statement: bare, as the payload of an envelope, or in a bundle or a list of any
// kind around envelopes.
func statements(content []byte, depth int) (found []statement) {
	if depth > 12 {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(content, &list) == nil {
		for _, inner := range list {
			found = append(found, statements(inner, depth+1)...)
		}
		return found
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(content, &members) != nil {
		return nil
	}
	var s statement
	if json.Unmarshal(content, &s) == nil && s.PredicateType != "" && s.Predicate != nil {
		return []statement{s}
	}
	for name, inner := range members {
		var text string
		if name == "payload" && json.Unmarshal(inner, &text) == nil {
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				if payload, err := encoding.DecodeString(text); err == nil {
					found = append(found, statements(payload, depth+1)...)
					break
				}
			}
			continue
		}
		found = append(found, statements(inner, depth+1)...)
	}
	return found
}

// TestReportsOfTheCorpus reads every report. Those that are broken on purpose must be refused.
func TestReportsOfTheCorpus(t *testing.T) {
	t.Parallel()
	broken := map[string]string{"non-junit.xml": "<suites>", "non-xml.xml": "not valid XML", "NUnit-issue17521.xml": "illegal character code U+0000"}
	tests := 0
	for name, content := range corpusFolder(t, "junit") {
		format := "junit/v1"
		switch {
		case strings.Contains(name, "/nunit/"):
			format = "nunit/v1"
		case strings.Contains(name, "/files/xunit/"):
			format = "xunit/v1"
		}
		v, _, err := view.Read(documents+format, content)
		if words := broken[filepath.Base(name)]; words != "" {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d, err := view.Detect("", content); err != nil || d.PredicateType != documents+format {
			t.Errorf("%s: detected as %q, %v", name, d.PredicateType, err)
		}
		if v.Tests.Total == 0 && filepath.Base(name) != "no-cases.xml" {
			t.Errorf("%s: no tests", name)
		}
		tests += v.Tests.Total
		t.Logf("%s: %s %d = %d + %d + %d", filepath.Base(name), v.Tests.Result, v.Tests.Total, v.Tests.Passed, v.Tests.Failed, v.Tests.Skipped)
	}
	t.Logf("%d tests", tests)
}
