package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// MaxBlob is the size in bytes, before compression, of the largest blob that is kept.
const MaxBlob = 64 << 20

// compressors keeps what gzip needs to work in, more than a megabyte a writer, between blobs.
var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails on an unknown level alone
	return w
}}

// Packed is content ready to be kept. To compress takes longer than to write, so it is done before a transaction begins.
type Packed struct {
	// Digest is that of the content; see canonical.Digest.
	Digest string
	size   int
	bytes  []byte
}

// Pack compresses content. It fails on content larger than MaxBlob.
func Pack(content []byte) (Packed, error) {
	if len(content) > MaxBlob {
		return Packed{}, fmt.Errorf("keep blob: %d bytes are more than %d", len(content), MaxBlob)
	}
	p := Packed{Digest: canonical.Digest(content), size: len(content)}
	var packed bytes.Buffer
	if err := compress(&packed, content); err != nil {
		return Packed{}, fmt.Errorf("keep blob %s: %w", p.Digest, err)
	}
	p.bytes = packed.Bytes()
	return p, nil
}

// PutBlobs keeps contents under their digests. What is there already is left as it is. On Postgres two transactions that
// put the same new blobs wait for each other: they are put in the order of their digests, and a transaction puts all of
// its blobs at once or in that order.
func (s *Store) PutBlobs(ctx context.Context, tx *db.Client, list []Packed) error {
	list = slices.SortedFunc(slices.Values(list), func(a, b Packed) int { return cmp.Compare(a.Digest, b.Digest) })
	rows := Rows{Table: blob.Table, Columns: []string{blob.FieldDigest, blob.FieldSize, blob.FieldContent}, Unique: []string{blob.FieldDigest}}
	for _, p := range list {
		rows.Add(p.Digest, p.size, p.bytes)
	}
	return s.Insert(ctx, tx, rows, nil)
}

// PutBlob keeps content under its digest (see canonical.Digest) and returns the digest. Content that is there already is
// left as it is. It fails on content larger than MaxBlob.
//
// On Postgres two transactions that put the same new blobs wait for each other, and if they put them in different orders
// one of them fails: put several in an order that depends on the content alone.
func PutBlob(ctx context.Context, tx *db.Client, content []byte) (digest string, err error) {
	digest = canonical.Digest(content)
	// Most of what gates keep is there from the gate before: looking is cheaper than compressing.
	there, err := tx.Blob.Query().Where(blob.Digest(digest)).Exist(ctx)
	if err != nil {
		return "", fmt.Errorf("keep blob %s: %w", digest, err)
	}
	if there {
		return digest, nil
	}
	p, err := Pack(content)
	if err != nil {
		return "", err
	}
	err = tx.Blob.Create().SetDigest(digest).SetSize(p.size).SetContent(p.bytes).
		OnConflictColumns(blob.FieldDigest).DoNothing().Exec(ctx)
	// No rows: another transaction kept the same bytes meanwhile.
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("keep blob %s: %w", digest, err)
	}
	return digest, nil
}

// Blob returns the bytes kept under digest. It fails with an error for which db.IsNotFound holds when there are none, and
// with another when the bytes no longer have the digest.
func (s *Store) Blob(ctx context.Context, digest string) ([]byte, error) {
	b, err := s.read.Blob.Query().Where(blob.Digest(digest)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load blob %s: %w", digest, err)
	}
	return Unpack(b)
}

// Unpack gives the bytes that a row keeps, read in whatever transaction. It fails when they no longer have the digest.
func Unpack(b *db.Blob) ([]byte, error) {
	content, err := decompress(b.Content, b.Size)
	if err != nil {
		return nil, fmt.Errorf("load blob %s: %w", b.Digest, err)
	}
	if canonical.Digest(content) != b.Digest {
		return nil, fmt.Errorf("load blob %s: the bytes kept have another digest: the database was altered or is damaged", b.Digest)
	}
	return content, nil
}

func compress(to io.Writer, content []byte) error {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(to)
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}

// decompress reads exactly size bytes, so that altered rows cannot make it fill the memory.
func decompress(packed []byte, size int) ([]byte, error) {
	if size < 0 || size > MaxBlob {
		return nil, fmt.Errorf("recorded size %d is out of bounds", size)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("decompress: more bytes than recorded")
	}
	return content, nil
}
