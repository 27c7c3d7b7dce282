package advisory

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// MaxDocuments is the largest number of files that a feed is made of.
	MaxDocuments = 2_000_000
	// MaxTotal is how much a feed may hold in all, in bytes when unpacked, unless Feed says otherwise.
	MaxTotal = 64 << 30
	// maxEntry is how much of a zip file is read to learn what is in it, in bytes a document.
	maxEntry = 128
)

// Feed is where advisories come from.
type Feed struct {
	// Source is a folder, read with all folders in it; a zip file; or a single document.
	Source string
	// MaxTotal bounds the size of all documents, in bytes, and MaxDocuments their number; 0 is the constant of this name.
	MaxTotal     int64
	MaxDocuments int
}

// Document is one file of a feed.
type Document struct {
	// Name is relative to the folder, or within the zip file, where it can be any text.
	Name string
	// Content is at most MaxRecord bytes long.
	Content []byte
	// Err is why this document could not be read, and Content then nil: too large, damaged. Others can be.
	Err error
	// Number counts from 1 to Of, the number of documents.
	Number, Of int
}

// Walk hands each *.json of the feed to the function: of a folder in the order of their names, of a zip file in its own.
// Nothing is unpacked to disk, and one document is held at a time. An error of the function ends the walk and is
// returned; so is the end of ctx.
func (f Feed) Walk(ctx context.Context, each func(Document) error) error {
	w := walk{ctx: ctx, each: each, total: f.MaxTotal, limit: f.MaxTotal, most: f.MaxDocuments}
	if w.total <= 0 {
		w.total, w.limit = MaxTotal, MaxTotal
	}
	if w.most <= 0 {
		w.most = MaxDocuments
	}
	if err := w.source(f.Source); err != nil {
		return fmt.Errorf("read advisories from %s: %w", f.Source, err)
	}
	return nil
}

type walk struct {
	ctx          context.Context
	each         func(Document) error
	total, limit int64 // how many bytes may still be read, and might at first
	number, of   int
	most         int // how many documents there may be
}

func (w *walk) source(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return w.folder(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is only read
	mark := make([]byte, 4)
	if n, _ := io.ReadFull(file, mark); n == 4 && (string(mark) == "PK\x03\x04" || string(mark) == "PK\x05\x06") {
		return w.zip(file, info.Size())
	}
	w.of = 1
	return w.document(filepath.Base(path), func() (io.ReadCloser, error) { return os.Open(path) })
}

// folder follows no links, which may lead out of it or around.
func (w *walk) folder(root string) error {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // it is only read
	var names []string
	err = fs.WalkDir(dir.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !isJSON(path) {
			return err
		}
		if len(names) == w.most {
			return w.tooMany()
		}
		names = append(names, path)
		return w.ctx.Err()
	})
	if err != nil {
		return err
	}
	w.of = len(names)
	for _, name := range names {
		if err := w.document(name, func() (io.ReadCloser, error) { return dir.Open(name) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) zip(file *os.File, size int64) error {
	source := &directory{file: file, left: int64(w.most) * maxEntry}
	archive, err := zip.NewReader(source, size)
	if err != nil {
		return err
	}
	source.opened = true
	var entries []*zip.File
	for _, entry := range archive.File {
		if entry.Mode().IsRegular() && isJSON(entry.Name) {
			entries = append(entries, entry)
		}
	}
	if w.of = len(entries); w.of > w.most {
		return w.tooMany()
	}
	for _, entry := range entries {
		if err := w.document(visible(strings.ToValidUTF8(entry.Name, "�")), entry.Open); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) tooMany() error { return fmt.Errorf("it holds more than %d documents", w.most) }

func isJSON(name string) bool { return strings.HasSuffix(name, ".json") }

// document reads one document, by what comes out and not by what a header says, and hands it over.
func (w *walk) document(name string, open func() (io.ReadCloser, error)) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.number++
	content, err := read(open)
	if w.total -= int64(len(content)); w.total < 0 {
		return fmt.Errorf("its documents are larger than %d bytes in all", w.limit)
	}
	if err != nil {
		content = nil
	}
	return w.each(Document{Name: name, Content: content, Err: err, Number: w.number, Of: w.of})
}

func read(open func() (io.ReadCloser, error)) ([]byte, error) {
	in, err := open()
	if err != nil {
		return nil, err
	}
	defer in.Close() //nolint:errcheck // it is only read
	content, err := io.ReadAll(io.LimitReader(in, MaxRecord+1))
	if err == nil && len(content) > MaxRecord {
		err = fmt.Errorf("the advisory is larger than %d bytes", MaxRecord)
	}
	return content, err
}

// directory bounds what the list of a zip file's entries can cost: each is a few hundred bytes in memory.
type directory struct {
	file   io.ReaderAt
	left   int64
	opened bool
}

// ReadAt fails when more is read than the list may have, until the archive is opened.
func (d *directory) ReadAt(p []byte, at int64) (int, error) {
	n, err := d.file.ReadAt(p, at)
	if d.left -= int64(n); !d.opened && d.left < 0 {
		return 0, errors.New("the list of what is in the zip file is too long: it holds too many documents")
	}
	return n, err
}
