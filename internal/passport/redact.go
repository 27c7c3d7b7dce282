package passport

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// RefusedError is why a passport was not written again: an error of whoever asked, or of the passport.
type RefusedError struct{ Why string }

// Error implements error.
func (r RefusedError) Error() string { return r.Why }

// Redact writes a passport again without the files that the digests name, each the digest of a file or that by which statements
// name it. The others are written as they are. It refuses a digest that names nothing, or a file that cannot be left out, and a
// passport whose files are not those of its passport.json. After a failure, what was written is no passport.
func Redact(from *zip.Reader, to io.Writer, digests []string) (leftOut []File, err error) {
	index, err := indexOf(from)
	if err != nil {
		return nil, err
	}
	if leftOut, err = index.choose(digests); err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, f := range from.File {
		there[f.Name] = true
	}
	w := NewWriter(to, index)
	for _, f := range index.Files {
		if f.LeftOut {
			if err := w.LeaveOut(f); err != nil {
				return nil, err
			}
			continue
		}
		if !there[f.Path] {
			return nil, RefusedError{f.Path + " is missing, and was not left out on purpose"}
		}
		content, err := from.Open(f.Path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Path, err)
		}
		written, err := w.Add(f.Path, f.Kind, f.Names, io.LimitReader(content, f.Size+1))
		if err := errors.Join(err, content.Close()); err != nil {
			return nil, err
		}
		if written != f {
			return nil, RefusedError{f.Path + " is not the file that passport.json names; plimsoll verify says more"}
		}
	}
	return leftOut, w.Close()
}

// indexOf reads passport.json.
func indexOf(from *zip.Reader) (index Index, err error) {
	f, err := from.Open(IndexName)
	if err != nil {
		return index, RefusedError{"there is no " + IndexName + " in it"}
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxParsed))
	if err := errors.Join(err, f.Close()); err != nil {
		return index, fmt.Errorf("read %s: %w", IndexName, err)
	}
	if err := canonical.Check(text, maxNesting); err != nil {
		return index, RefusedError{IndexName + ": " + err.Error()}
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return index, RefusedError{IndexName + ": " + err.Error()}
	}
	if index.Schema != Schema {
		return index, RefusedError{IndexName + " is not one of a passport: its schema is not " + Schema}
	}
	return index, nil
}

// choose marks the files that the digests name as left out, and returns them.
func (i *Index) choose(digests []string) (chosen []File, err error) {
	for _, d := range digests {
		found := false
		for at := range i.Files {
			f := &i.Files[at]
			if !f.Is(d) {
				continue
			}
			if !f.MayBeLeftOut() {
				return nil, RefusedError{fmt.Sprintf("%s cannot be left out: without it a passport proves nothing", f.Path)}
			}
			if found = true; !f.LeftOut {
				f.LeftOut = true
				chosen = append(chosen, *f)
			}
		}
		if !found {
			return nil, RefusedError{fmt.Sprintf("no file of the passport has the digest %s", d)}
		}
	}
	return chosen, nil
}
