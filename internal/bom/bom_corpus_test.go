package bom_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

// TestCorpusEveryDocumentParsesOrSaysWhy reads every public document of the corpus. A CycloneDX or SPDX document in
// JSON, a CycloneDX one in XML and an SPDX one in tag-value form must parse unless its name says that it is invalid or
// the table says why not.
func TestCorpusEveryDocumentParsesOrSaysWhy(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("PLIMSOLL_CORPUS")
	if corpus == "" {
		t.Skip("run by make test-corpus")
	}
	root := filepath.Join(corpus, "sbom")
	parsed, refused, components, licensed := 0, 0, 0, 0
	forms := map[string]int{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		doc, err := bom.Parse(content)
		if err != nil {
			refused++
			if strings.TrimSpace(err.Error()) == "" || doc.Components != nil {
				t.Errorf("%s: an error without a sentence, or with a document: %q", name, err)
			}
			if mustParse(name, content) {
				t.Errorf("%s: %v", name, err)
			} else {
				t.Logf("refused: %s: %v", name, err)
			}
			return nil
		}
		parsed++
		forms[string(doc.Format)+doc.SpecVersion+filepath.Ext(name)]++
		components += len(doc.Components)
		for _, c := range doc.Components {
			if len(c.Licenses) > 0 {
				licensed++
			}
		}
		checkDocument(t, name, doc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if parsed < 300 {
		t.Errorf("only %d documents parsed: is the corpus whole?", parsed)
	}
	if forms["SPDX3.0.1.json"] < 10 || forms["SPDX2.2.spdx"] < 5 {
		t.Errorf("too few documents of SPDX 3 or in tag-value form: %v", forms)
	}
	t.Logf("%d parsed, %d refused; %d components, %d with a licence", parsed, refused, components, licensed)
}

// exceptions are documents that ought to parse by their names and do not, with the reason.
func exceptions() map[string]string {
	return map[string]string{
		"spdx2_2_null_package.json": "a package that is null is refused: nobody can say which one is missing",
	}
}

func mustParse(name string, content []byte) bool {
	base := filepath.Base(name)
	if _, known := exceptions()[base]; known || strings.Contains(base, "invalid-") {
		return false
	}
	if strings.HasSuffix(base, ".xml") {
		return bytes.Contains(content, []byte("http://cyclonedx.org/schema/bom/"))
	}
	if strings.HasSuffix(base, ".spdx") {
		return bytes.Contains(content, []byte("SPDXVersion:"))
	}
	var mark struct {
		BOMFormat   string `json:"bomFormat"`
		SPDXVersion string `json:"spdxVersion"`
		Context     any    `json:"@context"`
	}
	if err := json.Unmarshal(content, &mark); err != nil {
		var syntax *json.SyntaxError
		return !errors.As(err, &syntax) && strings.HasSuffix(base, ".json")
	}
	return mark.BOMFormat == "CycloneDX" || mark.SPDXVersion != "" || mark.Context != nil
}
