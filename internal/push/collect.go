package push

import (
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxAttachments is how many attachments the server takes at once.
const maxAttachments = 20

// collect gives the files that the paths name, each once, in order. Of folders it takes what is in them and below, without
// hidden files and links.
func collect(paths []string) ([]string, error) {
	var found []string
	for _, path := range paths {
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			return nil, fault.At("", "%v", err)
		case info.IsDir():
			if found, err = below(found, path); err != nil {
				return nil, err
			}
		case info.Mode().IsRegular():
			found = append(found, filepath.Clean(path))
		default:
			return nil, fault.At("", "%s is neither a file nor a folder; links are not followed", path)
		}
		if len(found) > MaxFiles {
			return nil, fault.At("", "more than %d files: push them in parts", MaxFiles)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return nil, fault.At("", "there is nothing to push: name files, or folders with files")
	}
	return found, nil
}

func below(found []string, folder string) ([]string, error) {
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		hidden := path != folder && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case !hidden && d.Type().IsRegular():
			found = append(found, path)
		}
		if len(found) > MaxFiles {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return nil, fault.At("", "%v", err)
	}
	return found, nil
}

// attachments makes the files that go with the one piece of evidence.
func attachments(paths, evidence []string) ([]client.File, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	if len(evidence) != 1 {
		return nil, fault.At("", "--attach goes with exactly one file of evidence, found %d", len(evidence))
	}
	if len(paths) > maxAttachments {
		return nil, fault.At("", "at most %d files can be attached at once, got %d", maxAttachments, len(paths))
	}
	var list []client.File
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fault.At("", "--attach: %v", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fault.At("", "--attach: %s is not a file", path)
		}
		mediaType := mime.TypeByExtension(filepath.Ext(path))
		if mediaType == "" {
			mediaType = "application/octet-stream"
		}
		list = append(list, file(path, mediaType))
	}
	return list, nil
}

func file(path, mediaType string) client.File {
	open := func() (io.ReadCloser, error) { return os.Open(filepath.Clean(path)) }
	return client.File{Name: filepath.Base(path), MediaType: mediaType, Open: open}
}

// readStart reads a file up to maxRead bytes, and tells whether that is all of it.
func readStart(path string) (content []byte, all bool, err error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, false, fmt.Errorf("read evidence: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	content, err = io.ReadAll(io.LimitReader(f, maxRead+1))
	if err != nil {
		return nil, false, fmt.Errorf("read evidence: %w", err)
	}
	return content, len(content) <= maxRead, nil
}
