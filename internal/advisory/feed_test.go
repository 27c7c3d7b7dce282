package advisory_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

type file struct{ name, content string }

func folder(t *testing.T, files ...file) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		path := filepath.Join(root, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func zipped(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		entry, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// walked lists what a feed gives: number, name and content or error.
func walked(t *testing.T, feed advisory.Feed) (list []string, err error) {
	t.Helper()
	err = feed.Walk(t.Context(), func(d advisory.Document) error {
		said := string(d.Content)
		if d.Err != nil {
			said = d.Err.Error()
			if d.Content != nil {
				t.Errorf("%s: an error with content", d.Name)
			}
		}
		list = append(list, fmt.Sprintf("%d/%d %s %s", d.Number, d.Of, d.Name, said))
		return nil
	})
	return list, err
}

func TestWalkReadsFoldersZipFilesAndFiles(t *testing.T) {
	t.Parallel()
	files := []file{{"b.json", "B"}, {"a/2.json", "A2"}, {"a/1.json", "A1"}, {"README.md", "no"}, {"c.yaml", "no"}}
	root := folder(t, files...)
	if err := os.Symlink("/etc", filepath.Join(root, "z.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "all.zip"), zipped(t, append(files, file{"../../etc/x.json", "X"}, file{"d.json/", ""})...), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, source string
		want         []string
	}{
		{"a folder in the order of names", root, []string{"1/3 a/1.json A1", "2/3 a/2.json A2", "3/3 b.json B"}},
		{"a zip file in its own", filepath.Join(root, "all.zip"), []string{"1/4 b.json B", "2/4 a/2.json A2", "3/4 a/1.json A1", "4/4 ../../etc/x.json X"}},
		{"a file", filepath.Join(root, "b.json"), []string{"1/1 b.json B"}},
		{"an empty folder", t.TempDir(), nil},
	}
	for _, c := range cases {
		if got, err := walked(t, advisory.Feed{Source: c.source}); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := walked(t, advisory.Feed{Source: filepath.Join(root, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestWalkHandsOverWhatCannotBeReadAndGoesOn(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat("0", advisory.MaxRecord+1)
	content := zipped(t, file{"a.json", "A"}, file{"bomb.json", bomb}, file{"damaged.json", strings.Repeat("damaged", 10)}, file{"z.json", "Z"})
	at := bytes.Index(content, []byte("damaged.json"))
	content[at+len("damaged.json")+3] ^= 0xff
	path := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := walked(t, advisory.Feed{Source: path})
	if err != nil || len(got) != 4 || got[0] != "1/4 a.json A" || got[3] != "4/4 z.json Z" ||
		!strings.Contains(got[1], "larger than 4194304 bytes") || strings.Contains(got[2], "damageddamaged") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWalkBoundsTheWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(path, zipped(t, file{"a.json", "12345"}, file{"b.json", "12345"}), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := walked(t, advisory.Feed{Source: path, MaxTotal: 10}); err != nil || len(got) != 2 {
		t.Errorf("what fits: %q, %v", got, err)
	}
	if got, err := walked(t, advisory.Feed{Source: path, MaxTotal: 9}); err == nil || !strings.Contains(err.Error(), "larger than 9 bytes in all") || len(got) != 1 {
		t.Errorf("what does not: %q, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("PK\x03\x04 and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := walked(t, advisory.Feed{Source: path}); err == nil {
		t.Error("half of a zip file is read")
	}
}

func TestWalkEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	root := folder(t, file{"a.json", "A"}, file{"b.json", "B"})
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err := advisory.Feed{Source: root}.Walk(ctx, func(advisory.Document) error {
		seen++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen != 1 {
		t.Errorf("the end of the context: %d, %v", seen, err)
	}
	stop := errors.New("stop")
	if err := (advisory.Feed{Source: root}).Walk(t.Context(), func(advisory.Document) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the function's error is %v", err)
	}
}

func FuzzWalkZip(f *testing.F) {
	f.Add(zipped(f, file{"a.json", "A"}, file{"b/c.json", strings.Repeat("x", 100)}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "all.zip")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := advisory.Feed{Source: path, MaxTotal: 1 << 20}.Walk(t.Context(), func(d advisory.Document) error {
			if (d.Err == nil) != (d.Content != nil) || len(d.Content) > advisory.MaxRecord {
				t.Fatalf("%+v", d)
			}
			return nil
		})
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Fatalf("an error that names no source: %v", err)
		}
	})
}
