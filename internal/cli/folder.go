package cli

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// folder is files that are to be written together.
type folder struct {
	names []string
	texts map[string]string
}

// add takes a file in and returns its digest.
func (f *folder) add(name, text string) string {
	if f.texts == nil {
		f.texts = map[string]string{}
	}
	f.names, f.texts[name] = append(f.names, name), text
	return "sha256:" + sumOf(text)
}

// addJSON takes a value in, indented for people to read.
func (f *folder) addJSON(name string, value any) (string, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return f.add(name, text.String()), nil
}

// finish adds the manifest, and the list of all sums.
func (f *folder) finish(m manifest) error {
	m.Files = append([]string{}, f.names...)
	if _, err := f.addJSON("manifest.json", m); err != nil {
		return err
	}
	var sums strings.Builder
	for _, name := range f.names {
		fmt.Fprintf(&sums, "%s  %s\n", sumOf(f.texts[name]), name)
	}
	f.add("SHA256SUMS", sums.String())
	return nil
}

// write writes the files into a new folder, or into a new zip file when the name ends so.
func (f *folder) write(to string) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: there is something at %s already; give another --output", errWrongCall, to)
	}
	if strings.HasSuffix(to, ".zip") {
		return f.zip(to)
	}
	for _, name := range f.names {
		path := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := os.WriteFile(path, []byte(f.texts[name]), modeOf(name)); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func modeOf(name string) fs.FileMode {
	if strings.HasSuffix(name, ".sh") {
		return 0o755
	}
	return 0o644
}

func (f *folder) zip(to string) error {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, name := range f.names {
		// The same decision gives the same file: no clock stands in it.
		head := zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		head.SetMode(modeOf(name))
		w, err := z.CreateHeader(&head)
		if err == nil {
			_, err = w.Write([]byte(f.texts[name]))
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", to, err)
	}
	if err := os.WriteFile(to, packed.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}
