package objects_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/objects"
)

func TestReadySaysWhenTheStoreIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	folder := openPlace(t, "file://"+dir, "file://"+dir)
	address := startS3(t, &clock{})
	for _, p := range []place{folder, openPlace(t, address, address)} {
		if err := p.Ready(t.Context()); err != nil {
			t.Errorf("a store that is there: %v", err)
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	gone := strings.Replace(address, "objects", "nothing", 1)
	for _, p := range []place{folder, openPlace(t, gone, gone)} {
		if err := p.Ready(t.Context()); err == nil {
			t.Error("a store that is gone is ready")
		}
	}
}

func TestFolderIsTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	p := openPlace(t, "file://"+dir, "file://"+dir)
	p.keep(t, "body")
	for _, d := range []string{filepath.Dir(dir), dir, filepath.Join(dir, "sha256"), filepath.Join(dir, "staging")} {
		info, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want 0700", d, info.Mode())
		}
	}
}

func TestFolderStoreLeavesOtherFoldersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.Open(t.Context(), "file://"+file); err == nil {
		t.Error("a file is taken for a folder")
	}
	if _, err := objects.Open(t.Context(), "file://"+file+"/below"); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder below a file: %v", err)
	}
}

func TestOpenRefusesWhatItDoesNotTakeAndKeepsSecrets(t *testing.T) {
	for address, says := range map[string]string{
		"":                      "expected file:///",
		"gs://bucket":           "s3://bucket",
		"/var/lib/objects":      "expected file:///",
		"mem://":                "expected file:///",
		"s3://":                 "s3://bucket",
		"s3://bucket/folder":    "without a path",
		"file://relative":       "absolute folder",
		"file:///a?metadata=x":  "nothing else",
		"s3://id:hush@bucket":   "AWS environment variables",
		"s3://b?secret=hush":    `"secret"`,
		"s3://b?region=%zzhush": "not well-formed",
		"s3://b?endpoint=http%3A%2F%2Fid%3Ahush%40host": "without a user or password",
		"s3://b?endpoint=hush":                          "http or https URL",
		"hush\x7f://b":                                  "not a URL",
		"s3://b?use_path_style=perhaps":                 "use_path_style",
	} {
		_, err := objects.Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("Open(%q) says %v, want %q and no secret", address, err, says)
		}
	}
}
