package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// File is one file of the folder.
type File struct {
	// Name is its path in the folder, with slashes.
	Name string
	Text string
	// Digest is that of the text, `sha256:hex`.
	Digest string
	// Withheld says that the file is listed and not there: its text is empty, and its digest that of what is not there.
	Withheld bool
}

// Runs tells whether the file is a program.
func (f File) Runs() bool { return strings.HasSuffix(f.Name, ".sh") }

// folder is files that belong together.
type folder struct {
	files []File
}

// add takes a file in and returns its digest.
func (f *folder) add(name, text string) string {
	digest := canonical.Digest([]byte(text))
	f.files = append(f.files, File{Name: name, Text: text, Digest: digest})
	return digest
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
func (f *folder) finish(m Manifest) error {
	m.Files = make([]string, len(f.files))
	for i, file := range f.files {
		m.Files[i] = file.Name
	}
	if _, err := f.addJSON("manifest.json", m); err != nil {
		return err
	}
	var sums strings.Builder
	for _, file := range f.files {
		fmt.Fprintf(&sums, "%s  %s\n", strings.TrimPrefix(file.Digest, "sha256:"), file.Name)
	}
	f.add("SHA256SUMS", sums.String())
	return nil
}
