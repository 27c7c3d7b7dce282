package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/replay"
)

// writeFiles writes files into a new folder, or into a new zip file when the name ends so.
func writeFiles(files []replay.File, to string) error {
	if err := nothingAt(to); err != nil {
		return err
	}
	if strings.HasSuffix(to, ".zip") {
		return zipFiles(files, to)
	}
	for _, f := range files {
		path := filepath.Join(to, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := os.WriteFile(path, []byte(f.Text), modeOf(f)); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}

// nothingAt refuses a path where something is: nothing is written over.
func nothingAt(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: there is something at %s already; give another --output", errWrongCall, path)
	}
	return nil
}

func modeOf(f replay.File) fs.FileMode {
	if f.Runs() {
		return 0o755
	}
	return 0o644
}

func zipFiles(files []replay.File, to string) error {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, f := range files {
		// The same decision gives the same file: no clock stands in it.
		head := zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		head.SetMode(modeOf(f))
		w, err := z.CreateHeader(&head)
		if err == nil {
			_, err = w.Write([]byte(f.Text))
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", f.Name, err)
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
