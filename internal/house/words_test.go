package house_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoFileKnowsThisMachine: no tracked file holds the path of this checkout, a home folder, or the host of the mirror
// that this machine's package clients are set up with. A clone builds anywhere, with whatever its owner has set up.
func TestNoFileKnowsThisMachine(t *testing.T) {
	unwanted := machineWords(t)
	for _, file := range tracked(t) {
		text := read(t, file)
		for _, word := range unwanted {
			if before, _, found := strings.Cut(text, word); found {
				t.Errorf("%s:%d holds %q, which is of this machine", file, 1+strings.Count(before, "\n"), word)
			}
		}
	}
}

func machineWords(t *testing.T) []string {
	t.Helper()
	words := []string{root(t)}
	if above := filepath.Dir(root(t)); !within(above, os.TempDir()) && above != "/" {
		words = append(words, above+"/")
	}
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		words = append(words, home+"/")
	}
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY", "GOSUMDB").Output()
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsFuncSeq(string(out), func(r rune) bool { return strings.ContainsRune(",| \n", r) }) {
		if u, err := url.Parse(word); err == nil && u.Host != "" {
			words = append(words, u.Hostname())
		} else if strings.Contains(word, ".") {
			words = append(words, word)
		}
	}
	return words
}

func within(dir, other string) bool {
	rel, err := filepath.Rel(other, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// TestLockFilesNameNoRegistry: npm writes where it downloaded from unless it is told not to.
func TestLockFilesNameNoRegistry(t *testing.T) {
	for _, file := range tracked(t) {
		if filepath.Base(file) == "package-lock.json" && strings.Contains(read(t, file), `"resolved": "http`) {
			t.Errorf("%s says where packages were downloaded from: npm config set omit-lockfile-registry-resolved true, and write it anew", file)
		}
	}
}

// TestNothingIsLeftForLater: what is not done is said where users read it, not in the code; and no merge is half done.
func TestNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`(?m)(//|#|/\*|\*|--) ?(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|^(<{7}|>{7}) `)
	for _, file := range tracked(t) {
		if strings.HasPrefix(file, "ent/db/") || strings.HasPrefix(file, "graph/generated/") || strings.Contains(file, "testdata/") {
			continue
		}
		if text := read(t, file); later.MatchString(text) {
			at := later.FindStringIndex(text)[0]
			t.Errorf("%s:%d leaves something for later", file, 1+strings.Count(text[:at], "\n"))
		}
	}
}

// TestLinksInDocumentsLeadSomewhere follows the links between the project's own pages.
func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, ".md") || strings.Contains(file, "testdata/") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			target := filepath.Join(root(t), filepath.Dir(file), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
}
