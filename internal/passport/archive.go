package passport

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Sizes of the end of a zip file, and of what it may hold.
const (
	endSize      = 22 // without its comment
	maxComment   = 1 << 16
	maxDirectory = MaxFiles * (46 + 2*maxPath + 256)
)

var errZip = errors.New("not a zip file as passports are: no archive in several parts, none beyond 4 GiB, and nothing before or after it")

// Open reads the zip file of a passport, which may come from anybody. It refuses more files and bytes than a passport has, paths
// that lead out, names that stand there twice, links and devices, before anything is unpacked; and reads no more bytes of a file
// than it says to have.
func Open(r io.ReaderAt, size int64) (*zip.Reader, error) {
	if err := checkEnd(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("open the passport: %w", err)
	}
	if len(z.File) > 2*MaxFiles {
		return nil, ErrTooLarge
	}
	files, folders, total := map[string]bool{}, map[string]bool{}, uint64(0)
	for _, f := range z.File {
		if err := checkEntry(f); err != nil {
			return nil, fmt.Errorf("open the passport: %w", err)
		}
		if total += f.UncompressedSize64; f.UncompressedSize64 > MaxBytes || total > MaxBytes {
			return nil, ErrTooLarge
		}
		// Two names that differ in their case alone are one file on many disks.
		name, folder := strings.CutSuffix(strings.ToLower(f.Name), "/")
		if files[name] {
			return nil, fmt.Errorf("open the passport: %q stands in it twice", clipped(f.Name))
		}
		files[name] = !folder
		folders[name] = folders[name] || folder
		for above := path.Dir(name); above != "."; above = path.Dir(above) {
			folders[above] = true
		}
	}
	for name, folder := range folders {
		if folder && files[name] {
			return nil, fmt.Errorf("open the passport: %q is a file and a folder", clipped(name))
		}
	}
	return z, nil
}

// checkEnd reads the end of the archive, which says how long its directory is: a reader would go through a directory of any length
// before it gave the first name.
func checkEnd(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, endSize+maxComment))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) && err != nil {
		return fmt.Errorf("read the end of the passport: %w", err)
	}
	for at := len(tail) - endSize; at >= 0; at-- {
		end := tail[at:]
		if binary.LittleEndian.Uint32(end) != 0x06054b50 || int(binary.LittleEndian.Uint16(end[20:]))+endSize != len(end) {
			continue
		}
		entries, length, offset := binary.LittleEndian.Uint16(end[10:]), binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
		if int64(offset)+int64(length) != size-int64(len(end)) || binary.LittleEndian.Uint32(end[4:]) != 0 {
			return errZip
		}
		if entries > 2*MaxFiles || length > maxDirectory {
			return ErrTooLarge
		}
		return nil
	}
	return errZip
}

// checkEntry refuses what is neither a file nor a folder of a passport.
func checkEntry(f *zip.File) error {
	name, folder := strings.CutSuffix(f.Name, "/")
	if err := CheckPath(name); err != nil && f.Name != IndexName {
		return err
	}
	mode := f.Mode()
	switch {
	case folder && (!mode.IsDir() || f.UncompressedSize64 > 0):
		return fmt.Errorf("%q is no folder", clipped(f.Name))
	case !folder && mode&fs.ModeType != 0:
		return fmt.Errorf("%q is neither a file nor a folder", clipped(f.Name))
	case f.Flags&0x1 != 0:
		return fmt.Errorf("%q is encrypted", clipped(f.Name))
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("%q is packed in a way that is not known here", clipped(f.Name))
	}
	return nil
}

// clipped keeps a name from outside short.
func clipped(name string) string { return name[:min(len(name), 100)] }
