package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"
)

// ErrTooLarge says that there were more bytes than were allowed.
//
//nolint:errname // it stands beside ErrNotFound and is looked for in the same places
type ErrTooLarge struct {
	// Limit is how many bytes were allowed.
	Limit int64
}

// Error says how many bytes were allowed.
func (e ErrTooLarge) Error() string { return fmt.Sprintf("longer than %d bytes", e.Limit) }

// Staged is bytes that were received and not yet decided on. End it with Keep or Discard; Discard after Keep does no
// harm, so that it can be deferred.
type Staged struct {
	// Digest is "sha256:<hex>" of the bytes, Size how many they are.
	Digest string
	Size   int64

	store *Store
	key   string
}

// Stage reads r to its end and puts it aside. It fails with ErrTooLarge when there are more than limit bytes, of which
// it reads one too many; with the error of r; and with that of ctx when it ends. Whatever fails, also a full disk, nothing
// stays behind.
func (s *Store) Stage(ctx context.Context, r io.Reader, limit int64) (*Staged, error) {
	st := &Staged{store: s, key: staging + rand.Text()}
	if err := st.receive(ctx, r, limit); err != nil {
		// The writer leaves nothing when it is told to stop; a bucket may have stored what it failed to confirm.
		return nil, errors.Join(err, st.Discard(ctx))
	}
	return st, nil
}

func (st *Staged) receive(ctx context.Context, r io.Reader, limit int64) error {
	// To end the context before the writer is closed is how a writer is told to drop what it has.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w, err := st.store.bucket.NewWriter(ctx, st.key, &blob.WriterOptions{
		ContentType:                 "application/octet-stream",
		DisableContentTypeDetection: true,
		BufferSize:                  8 << 20,
		MaxConcurrency:              1,
	})
	if err != nil {
		return fmt.Errorf("stage an object: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(during{ctx, r}, limit+1))
	if err == nil && n > limit {
		err = ErrTooLarge{Limit: limit}
	}
	if err != nil {
		stop()
		_ = w.Close() // says that it was stopped
		return fmt.Errorf("stage an object: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("stage an object: %w", err)
	}
	st.Digest, st.Size = "sha256:"+hex.EncodeToString(sum.Sum(nil)), n
	return nil
}

// Open reads what was staged, before it is kept or discarded. The reader ends with ErrChanged when it was changed.
func (st *Staged) Open(ctx context.Context) (io.ReadCloser, error) {
	r, _, err := st.store.open(ctx, st.key, st.Digest)
	return r, err
}

// ReadAll gives what was staged, or fails with ErrTooLarge when it is more than limit bytes and with ErrChanged when it
// was changed.
func (st *Staged) ReadAll(ctx context.Context, limit int64) ([]byte, error) {
	if st.Size > limit {
		return nil, ErrTooLarge{Limit: limit}
	}
	r, size, err := st.store.open(ctx, st.key, st.Digest)
	if err != nil {
		return nil, err
	}
	if size != st.Size {
		return nil, errors.Join(fmt.Errorf("%s: %w", st.Digest, ErrChanged), r.Close())
	}
	b, err := io.ReadAll(io.LimitReader(r, size+1)) // one more, so that the end is read, and with it the digest
	return b, errors.Join(err, r.Close())
}

// Keep moves what was staged to its digest. When an object of this size is there already, that one stays and becomes
// young again; keeping twice, or the same bytes many times at once, is one object.
//
// In a folder, the bytes and the names that lead to them are synced before Keep returns: what it acknowledged survives
// a kill and a power cut, as far as the disk tells the truth. A bucket gives its own promise. A bucket copies at most 5 GiB
// at once, so larger objects cannot be kept there.
func (st *Staged) Keep(ctx context.Context) error {
	key, err := keyOf(st.Digest)
	if err != nil {
		return err
	}
	st.store.keeping.RLock()
	defer st.store.keeping.RUnlock()
	there, err := st.store.renew(ctx, key, st.Size)
	if err != nil {
		return err
	}
	if !there {
		err := st.store.move(ctx, st.key, key)
		if errors.Is(err, ErrNotFound) {
			// Another Keep of the same staged bytes may have moved them since.
			if there, _ := st.store.renew(ctx, key, st.Size); there {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("keep %s: %w", st.Digest, err)
		}
	}
	if err := st.store.sync(key); err != nil {
		return fmt.Errorf("keep %s: %w", st.Digest, err)
	}
	// The object is kept. If its staged copy stays, Sweep removes it.
	_ = st.Discard(ctx)
	return nil
}

// Discard removes what was staged, also when ctx has ended. It is no error when nothing is there any more.
func (st *Staged) Discard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	return st.store.remove(ctx, st.key)
}

// during reads while ctx lasts.
type during struct {
	ctx context.Context
	r   io.Reader
}

func (d during) Read(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.r.Read(p)
}
