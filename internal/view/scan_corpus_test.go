package view_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

// inCorpus gives every file of a folder of the corpus to check.
func inCorpus(t *testing.T, folder string, check func(name string, content []byte)) {
	t.Helper()
	corpus := os.Getenv("PLIMSOLL_CORPUS")
	if corpus == "" {
		t.Skip("run by make test-corpus")
	}
	root := filepath.Join(corpus, folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "README") {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			check(path[len(root)+1:], content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCorpusEveryScanIsReadOrSaysWhy reads the public SARIF logs and VEX documents.
func TestCorpusEveryScanIsReadOrSaysWhy(t *testing.T) {
	refused := map[string]string{
		"No runs.sarif": "no runs", "sarif-schema-2.1.0.json": "not recognised",
		"comprehensive.json": `"2.2"`, "minimal-recommended-with-source-info.json": `"2.2"`,
		"minimal-recommended-without-source-info.json": `"2.2"`,
		"open-vex-affected.json":                       "not recognised", // its @context is empty
		"csaf.json":                                    `"ABC:CSAFPID-0002" is not in the product_tree`,
	}
	read := 0
	for _, folder := range []string{"sarif", "vex"} {
		inCorpus(t, folder, func(name string, content []byte) {
			doc, err := view.Detect("", content)
			known := true
			if err == nil {
				_, known, err = view.Read(doc.PredicateType, content)
			}
			want := refused[filepath.Base(name)]
			if !known || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %+v, known %v, %v", name, doc, known, err)
			}
			if err == nil {
				read++
			}
		})
	}
	if read < 40 {
		t.Errorf("only %d documents were read: is the corpus whole?", read)
	}
}

// TestCorpusDetectTellsBillsOfMaterialsAndReports runs over what others write in all the formats.
func TestCorpusDetectTellsBillsOfMaterialsAndReports(t *testing.T) {
	for folder, least := range map[string]int{"sbom": 300, "junit": 25} {
		found := 0
		inCorpus(t, folder, func(name string, content []byte) {
			doc, err := view.Detect("", content)
			if err != nil {
				t.Logf("not told: %s: %.80s", name, err)
				return
			}
			if doc.Sbom != (folder == "sbom") {
				t.Errorf("%s: %+v", name, doc)
			}
			found++
		})
		if found < least {
			t.Errorf("%s: only %d were told", folder, found)
		}
		t.Logf("%s: %d were told", folder, found)
	}
}
