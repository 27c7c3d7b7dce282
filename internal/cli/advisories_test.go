package cli_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
)

// importing is a server that takes every document but those that say so, and remembers them.
func importing(t *testing.T) (url string, sent *[][]string) {
	t.Helper()
	sent = &[][]string{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Variables struct {
				Input struct {
					Format    string
					Feed      *string
					Documents []string
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		in := asked.Variables.Input
		if in.Feed != nil {
			in.Format += " of " + *in.Feed
		}
		*sent = append(*sent, append([]string{in.Format}, in.Documents...))
		rejected := []map[string]any{}
		for i, d := range in.Documents {
			if strings.Contains(d, "bad") {
				rejected = append(rejected, map[string]any{"index": i, "reason": "it is bad"})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"importAdvisories": map[string]any{
			"imported": len(in.Documents) - len(rejected), "updated": 0, "unchanged": 0, "rejected": rejected, "newFindings": 1,
		}}})
	}))
	t.Cleanup(web.Close)
	return web.URL, sent
}

func TestAdvisoriesAreSentTogether(t *testing.T) {
	url, sent := importing(t)
	dir := t.TempDir()
	for i := range 1001 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.json", i)), []byte(`{"id":"x"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"PLIMSOLL_URL": url, "PLIMSOLL_TOKEN": "the-token"}
	code, stdout, stderr := run(t, env, "advisories", "import", dir)
	if code != cli.Done || stdout != "1001 imported, 0 updated, 0 unchanged, 0 refused; 2 new findings\n" {
		t.Errorf("ended with %d, %q, %q", code, stdout, stderr)
	}
	if len(*sent) != 2 || len((*sent)[0]) != 1001 || (*sent)[0][0] != "OSV" || len((*sent)[1]) != 2 {
		t.Errorf("sent %d times", len(*sent))
	}
	if err := os.WriteFile(filepath.Join(dir, "0500.json"), []byte(`bad`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = run(t, env, "advisories", "import", "--output", "json", dir)
	if code != cli.WrongCall || !strings.Contains(stderr, "refused 0500.json: it is bad\n") || !strings.Contains(stdout, `"imported":1000,`) || !strings.Contains(stdout, `"rejected":1,`) {
		t.Errorf("ended with %d, %q, %q", code, stdout, stderr)
	}
}

func TestScoresAreUnpacked(t *testing.T) {
	url, sent := importing(t)
	path := filepath.Join(t.TempDir(), "epss.csv.gz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	packed := gzip.NewWriter(file)
	if _, err := packed.Write([]byte("cve,epss")); err != nil || packed.Close() != nil || file.Close() != nil {
		t.Fatal(err)
	}
	code, _, stderr := run(t, nil, "advisories", "import", "--url", url, "--token", "t", "--format", "epss", path)
	if code != cli.Done || len(*sent) != 1 || strings.Join((*sent)[0], " ") != "EPSS cve,epss" {
		t.Errorf("ended with %d, %q, sent %q", code, stderr, *sent)
	}
}

func TestAFeedIsNamedOnlyWhenItIsGiven(t *testing.T) {
	url, sent := importing(t)
	path := filepath.Join(t.TempDir(), "kev.json")
	if err := os.WriteFile(path, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{"KEV {}": nil, "KEV of cisa {}": {"--feed", "cisa"}} {
		*sent = nil
		code, _, stderr := run(t, nil, append([]string{"advisories", "import", "--url", url, "--token", "t", "--format", "kev", path}, args...)...)
		if code != cli.Done || len(*sent) != 1 || strings.Join((*sent)[0], " ") != want {
			t.Errorf("ended with %d, %q, sent %q, want %q", code, stderr, *sent, want)
		}
	}
}

func TestAnImportOfNothingIsAWrongCall(t *testing.T) {
	url, sent := importing(t)
	env := map[string]string{"PLIMSOLL_URL": url, "PLIMSOLL_TOKEN": "the-token"}
	for want, args := range map[string][]string{
		"osv, kev or epss": {"--format", "xml", "."},
		"give one":         {},
		"there is no":      {filepath.Join(t.TempDir(), "absent")},
	} {
		code, _, stderr := run(t, env, append([]string{"advisories", "import"}, args...)...)
		if code != cli.WrongCall || !strings.Contains(stderr, want) || len(*sent) > 0 {
			t.Errorf("%v ended with %d and %q", args, code, stderr)
		}
	}
}
