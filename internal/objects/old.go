package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// young is how long an object in a bucket counts as just written. A bucket cannot set the time of an object, so what is
// older is written again.
const young = time.Hour

// Each calls fn with the digest of every kept object that was written, or kept again, longer ago than olderThan, until fn
// fails. fn may delete.
func (s *Store) Each(ctx context.Context, olderThan time.Duration, fn func(digest string) error) error {
	return s.each(ctx, "sha256/", olderThan, func(key string) error {
		// What somebody else put into the folder is none of ours.
		if digest := "sha256:" + path.Base(key); canonical.IsDigest(digest) {
			return fn(digest)
		}
		return nil
	})
}

// DeleteOld removes the object with this digest when it was written, or kept again, longer ago than olderThan, and tells
// whether it did. Nothing is kept in this process while it looks and removes.
func (s *Store) DeleteOld(ctx context.Context, digest string, olderThan time.Duration) (bool, error) {
	key, err := keyOf(digest)
	if err != nil {
		return false, err
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	a, err := s.bucket.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", key, err)
	}
	if a.ModTime.After(ago(olderThan)) {
		return false, nil
	}
	return true, s.remove(ctx, key)
}

// each calls fn with the keys that begin so and are older than that.
func (s *Store) each(ctx context.Context, prefix string, olderThan time.Duration, fn func(key string) error) error {
	before := ago(olderThan)
	for list := s.bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		if o.ModTime.After(before) {
			continue
		}
		if err := fn(o.Key); err != nil {
			return err
		}
	}
}

// renew tells whether an object of this size, in bytes, is at key, and makes it young when it is. False means that the
// staged bytes must take its place.
func (s *Store) renew(ctx context.Context, key string, size int64) (bool, error) {
	a, err := s.bucket.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", key, err)
	}
	if s.dir == "" || a.Size != size {
		return a.Size == size && a.ModTime.After(ago(young)), nil
	}
	now := ago(0)
	err = os.Chtimes(filepath.Join(s.dir, key), now, now)
	if errors.Is(err, fs.ErrNotExist) { // another process removed it since
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("renew %s: %w", key, err)
	}
	return true, nil
}

// ago is that long before now. No record depends on it.
func ago(d time.Duration) time.Time {
	return time.Now().Add(-d) //nolint:forbidigo // compared with times that the file system or the bucket wrote
}
