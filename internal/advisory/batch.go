package advisory

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// MaxBatch is how many documents of a feed are handed on at once.
	MaxBatch = 1000
	// MaxBatchBytes is how large they may be together, in bytes.
	MaxBatchBytes = 16 << 20
	// MaxList is the largest catalogue or table that is read, in bytes when unpacked.
	MaxList = 48 << 20
)

// ErrTooLong is that a catalogue or a table is larger than MaxList.
var ErrTooLong = fmt.Errorf("it is larger than %d bytes", MaxList)

// Batches walks the feed and hands on what it holds, at most MaxBatch documents and MaxBatchBytes at once. Those that could not
// be read are among them.
func (f Feed) Batches(ctx context.Context, each func([]Document) error) error {
	var batch []Document
	size := 0
	hand := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := each(batch)
		batch, size = nil, 0
		return err
	}
	err := f.Walk(ctx, func(d Document) error {
		if len(batch) == MaxBatch || size+len(d.Content) > MaxBatchBytes {
			if err := hand(); err != nil {
				return err
			}
		}
		batch, size = append(batch, d), size+len(d.Content)
		return nil
	})
	if err != nil {
		return err
	}
	return hand()
}

// ReadList reads a catalogue or a table, packed by gzip or not.
func ReadList(path string) (_ []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	b, err := io.ReadAll(io.LimitReader(file, MaxList+1))
	if err == nil && bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		var packed *gzip.Reader
		if packed, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			b, err = io.ReadAll(io.LimitReader(packed, MaxList+1))
		}
	}
	if err == nil && len(b) > MaxList {
		err = ErrTooLong
	}
	return b, err
}
