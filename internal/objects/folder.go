package objects

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gocloud.dev/gcerrors"
)

// move brings the bytes at key from to key to. In a folder it renames, and syncs the bytes before they get their name, so
// that no power cut can leave a name with half of its bytes.
func (s *Store) move(ctx context.Context, from, to string) error {
	if s.dir == "" {
		err := s.bucket.Copy(ctx, to, from, nil)
		if gcerrors.Code(err) == gcerrors.NotFound {
			return ErrNotFound
		}
		return err
	}
	source, target := filepath.Join(s.dir, from), filepath.Join(s.dir, to)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	err := syncPath(source)
	if err == nil {
		err = os.Rename(source, target)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

// sync makes the object at key and every name that leads to it durable, which fileblob does not. It is done for an
// object that was there before, too: another process may have moved it and not yet synced it.
func (s *Store) sync(key string) error {
	if s.dir == "" {
		return nil
	}
	for path := filepath.Join(s.dir, key); ; path = filepath.Dir(path) {
		if err := syncPath(path); err != nil {
			return err
		}
		if path == s.dir {
			return nil
		}
	}
}

// makeDir is os.MkdirAll with mode 0700, and the new names are durable when it returns.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator may name any folder
		return err
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // the operator may name any folder
		return err
	}
	return syncPath(filepath.Dir(dir))
}

func syncPath(path string) error {
	f, err := os.Open(path) //nolint:gosec // below the folder that the operator named, by a digest
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
