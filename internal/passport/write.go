package passport

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

const (
	// MaxFiles is how many files a passport holds at most, passport.json among them.
	MaxFiles = 4096
	// MaxBytes is how many bytes the files of a passport have together at most.
	MaxBytes = 2 << 30
	// maxPath is the length in bytes of the longest path.
	maxPath = 512
)

// ErrTooLarge is of a passport beyond MaxFiles or MaxBytes.
var ErrTooLarge = fmt.Errorf("a passport holds at most %d files and %d bytes", MaxFiles, int64(MaxBytes))

// Writer writes a passport, file by file. The same files give the same bytes: no clock stands in the archive.
type Writer struct {
	zip   *zip.Writer
	index Index
	last  string
	bytes int64
	// err is the first failure: what was written then is no passport.
	err error
}

// NewWriter returns a writer of a passport to w. Of about, everything but the files is taken.
func NewWriter(w io.Writer, about Index) *Writer {
	about.Schema, about.Files = Schema, []File{}
	return &Writer{zip: zip.NewWriter(w), index: about}
}

// Add writes a file and returns how it is listed. Paths ascend, byte by byte, so that a passport has one order. Names is the
// digest by which statements name the file, empty when that is its own. It fails when the content does, and from then on.
func (w *Writer) Add(path string, kind Kind, names string, content io.Reader) (File, error) {
	if w.err == nil {
		w.err = w.place(path)
	}
	if w.err != nil {
		return File{}, w.err
	}
	f := File{Path: path, Kind: kind, Names: names}
	to, err := w.zip.CreateHeader(header(path))
	if err == nil {
		sum := sha256.New()
		if f.Size, err = w.copy(to, sum, content); err == nil {
			f.Digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
		}
	}
	if err != nil {
		w.err = fmt.Errorf("write %s of the passport: %w", path, err)
		return File{}, w.err
	}
	if f.Names == f.Digest {
		f.Names = ""
	}
	w.index.Files = append(w.index.Files, f)
	return f, nil
}

// copy writes content up to the bound.
func (w *Writer) copy(to io.Writer, sum hash.Hash, content io.Reader) (int64, error) {
	n, err := io.CopyBuffer(io.MultiWriter(to, sum), io.LimitReader(content, MaxBytes-w.bytes+1), make([]byte, 64<<10))
	if w.bytes += n; err == nil && w.bytes > MaxBytes {
		err = ErrTooLarge
	}
	return n, err
}

// LeaveOut lists a file that is not written. It keeps its place in the order.
func (w *Writer) LeaveOut(f File) error {
	if w.err == nil {
		w.err = w.place(f.Path)
	}
	if w.err == nil && !f.MayBeLeftOut() {
		w.err = fmt.Errorf("%s of a passport cannot be left out", f.Path)
	}
	if w.err != nil {
		return w.err
	}
	f.LeftOut = true
	w.index.Files = append(w.index.Files, f)
	return nil
}

// place checks that a file may come now.
func (w *Writer) place(path string) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	if path <= w.last {
		return fmt.Errorf("%s comes after %s in a passport", w.last, path)
	}
	if len(w.index.Files)+2 > MaxFiles {
		return ErrTooLarge
	}
	w.last = path
	return nil
}

// Close writes passport.json, which comes last, and the end of the archive; it leaves the writer below open. After a
// failure it writes nothing, so that what there is cannot be read as a whole.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	text, err := canonical.JSON(w.index)
	if err != nil {
		return fmt.Errorf("write %s: %w", IndexName, err)
	}
	to, err := w.zip.CreateHeader(header(IndexName))
	if err == nil {
		_, err = to.Write(text)
	}
	if err == nil {
		err = w.zip.Close()
	}
	if err != nil {
		w.err = fmt.Errorf("write %s: %w", IndexName, err)
		return w.err
	}
	w.err = errors.New("this passport is written")
	return nil
}

// header says the same of every file, but for its name and whether it is a program.
func header(path string) *zip.FileHeader {
	h := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(ModeOf(path))
	return h
}

// ModeOf is the mode of a file of a passport on disk.
func ModeOf(path string) fs.FileMode {
	if strings.HasSuffix(path, ".sh") {
		return 0o755
	}
	return 0o644
}

// CheckPath refuses what is no path of a file in a passport: letters, digits and -_. between slashes, nothing that leads out
// or is called as passport.json is.
func CheckPath(path string) error {
	odd := strings.ContainsFunc(path, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./", c)
	})
	if odd || len(path) > maxPath || !fs.ValidPath(path) || path == "." || strings.EqualFold(path, IndexName) {
		return fmt.Errorf("%q is no path of a file in a passport", path)
	}
	return nil
}

// Is tells whether a digest means the file: its own, or that by which statements name it.
func (f File) Is(digest string) bool { return f.Digest == digest || f.Names == digest }
