package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// open reads the object at key, whose bytes must have this digest.
func (s *Store) open(ctx context.Context, key, digest string) (io.ReadCloser, int64, error) {
	r, err := s.bucket.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, 0, fmt.Errorf("%s: %w", digest, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", digest, err)
	}
	return &verified{from: r, digest: digest, sum: sha256.New()}, r.Size(), nil
}

// verified gives io.EOF only when what it gave before has the digest. The reader beneath is not embedded: its WriteTo
// would go around the check.
type verified struct {
	from   *blob.Reader
	digest string
	sum    hash.Hash
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.from.Read(p)
	v.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && "sha256:"+hex.EncodeToString(v.sum.Sum(nil)) != v.digest {
		return n, fmt.Errorf("%s: %w", v.digest, ErrChanged)
	}
	return n, err
}

func (v *verified) Close() error { return v.from.Close() }
