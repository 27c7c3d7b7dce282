// Package objects keeps large bytes by their digest, in a folder or in a bucket that speaks the S3 protocol.
//
// Bytes arrive in two steps, because whether they may stay is known only after they were read: Stage streams them to
// "staging/<random>" and says their digest and size, then Keep moves them to "sha256/<first two digits>/<64 digits>" or
// Discard removes them. What a killed process left in staging is removed by Sweep. Several processes may share a store.
//
// Whether a kept object is still needed only the caller's records can tell: Each goes over the old ones and DeleteOld
// removes one. Keep makes an object young that is there already, and DeleteOld takes none that is young, so that a look at
// the records that is out of date costs nobody what was kept again since. Within a process that is certain. Of two
// processes, one can remove what the other keeps between DeleteOld's look at the age and the removal: an instant.
//
// A reader checks the digest while it reads: bytes that were changed in the store end in ErrChanged, never in io.EOF.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

var (
	// ErrNotFound says that the store has no such object.
	ErrNotFound = errors.New("the object is not in the store")
	// ErrChanged says that the bytes in the store are not those that were kept.
	ErrChanged = errors.New("the object was changed in the store: its bytes do not have its digest")
)

const (
	staging = "staging/"
	// cleanup bounds the removal of staged bytes, which goes on when the request that staged them has ended.
	cleanup = 10 * time.Second
)

// Store is a folder or a bucket. It may be used by many goroutines at once.
type Store struct {
	bucket *blob.Bucket
	dir    string // the folder, or "" for a bucket
	// keeping is shared by those that keep and held by who deletes what is old.
	keeping sync.RWMutex
}

// Close lets go of the store. Nothing that was opened from it may be used afterwards.
func (s *Store) Close() error { return s.bucket.Close() }

// Ready fails when the folder or the bucket cannot be reached now. It reads one entry at most.
func (s *Store) Ready(ctx context.Context) error {
	if s.dir != "" {
		// fileblob walks over what it cannot read, so it would call a missing folder an empty one.
		if _, err := os.Stat(s.dir); err != nil {
			return fmt.Errorf("the object store is not there: %w", err)
		}
		return nil
	}
	ok, err := s.bucket.IsAccessible(ctx)
	if err != nil {
		return fmt.Errorf("the object store cannot be reached: %w", err)
	}
	if !ok {
		return errors.New("the object store is not there: no such bucket")
	}
	return nil
}

// Reader opens the object with this digest ("sha256:<hex>") and gives its size in bytes. It fails with ErrNotFound when
// there is none; the reader ends with ErrChanged when the bytes are not those of the digest. The caller closes it.
func (s *Store) Reader(ctx context.Context, digest string) (io.ReadCloser, int64, error) {
	key, err := keyOf(digest)
	if err != nil {
		return nil, 0, err
	}
	return s.open(ctx, key, digest)
}

// Delete removes the object with this digest. One that is not there is no error. Whoever deletes makes sure that nobody
// keeps the same bytes meanwhile: the store does not count who needs them.
func (s *Store) Delete(ctx context.Context, digest string) error {
	key, err := keyOf(digest)
	if err != nil {
		return err
	}
	return s.remove(ctx, key)
}

// Sweep removes what was staged longer ago than olderThan and neither kept nor discarded, which is what a killed
// process leaves, and says how many it removed. olderThan must be longer than any upload and the decision about it take.
// Parts of an upload that a bucket has not put together yet are not seen: give the bucket a rule that ends them.
func (s *Store) Sweep(ctx context.Context, olderThan time.Duration) (n int, err error) {
	err = s.each(ctx, staging, olderThan, func(key string) error {
		n++
		return s.remove(ctx, key)
	})
	return n, err
}

// keyOf gives the place of a digest. Only a digest in its one spelling has a place, so that no name can leave the store.
func keyOf(digest string) (string, error) {
	if !canonical.IsDigest(digest) {
		return "", fmt.Errorf("%q is not a digest: expected sha256: and 64 lower-case hexadecimal digits", digest)
	}
	hex := strings.TrimPrefix(digest, "sha256:")
	return "sha256/" + hex[:2] + "/" + hex, nil
}

// remove deletes what is at key, if anything is.
func (s *Store) remove(ctx context.Context, key string) error {
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}
