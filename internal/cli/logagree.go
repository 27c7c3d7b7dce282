package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

const readConsistency = `query Consistency($from: Int!, $to: Int!) { consistencyProof(from: $from, to: $to) { hashes } }`

const readInclusion = `query Inclusion($logIndex: Int!) { inclusionProof(logIndex: $logIndex) { hashes checkpoint } }`

// agree takes a newer checkpoint: the tree that was seen before must be where its tree began.
func (x *logExport) agree(ctx context.Context, checkpoint string) error {
	opened, err := tlog.OpenCheckpoint([]byte(checkpoint), x.keys)
	if err != nil {
		return fmt.Errorf("%w: %w", errChecks, err)
	}
	tree := opened.Tree
	if tree.Size < x.tree.Size {
		return fmt.Errorf("%w: the log has %d events, and had %d", errChecks, tree.Size, x.tree.Size)
	}
	var out struct{ ConsistencyProof struct{ Hashes [][]byte } }
	if x.tree.Size > 0 && tree.Size > x.tree.Size {
		op := client.Operation{Name: "Consistency", Document: readConsistency, Variables: map[string]any{"from": x.tree.Size, "to": tree.Size}}
		if err := client.Retry(ctx, pause, func() error { return x.server.Ask(ctx, op, &out) }); err != nil {
			return fmt.Errorf("ask whether the log goes on from %d: %w", x.tree.Size, err)
		}
	}
	hashes, err := hashesOf(out.ConsistencyProof.Hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckConsistency(x.tree, tree, hashes); err != nil {
		return fmt.Errorf("%w: the log was rewritten: its first %d events are not those that were exported: %w", errChecks, x.tree.Size, err)
	}
	x.tree = tree
	return nil
}

// included checks that an event is in the tree at its place.
func (x *logExport) included(ctx context.Context, index int64, hash []byte) error {
	if len(hash) != tlog.HashSize {
		return fmt.Errorf("%w: event %d in the file has no hash", errChecks, index)
	}
	var out struct {
		InclusionProof *struct {
			Hashes     [][]byte
			Checkpoint string
		}
	}
	op := client.Operation{Name: "Inclusion", Document: readInclusion, Variables: map[string]any{"logIndex": index}}
	err := client.Retry(ctx, pause, func() error { return x.server.Ask(ctx, op, &out) })
	if p, ok := errors.AsType[*client.AnswerError](err); ok && p.Code == "NOT_FOUND" || err == nil && out.InclusionProof == nil {
		return fmt.Errorf("%w: event %d was exported, and the log has none", errChecks, index)
	}
	if err != nil {
		return fmt.Errorf("ask for event %d: %w", index, err)
	}
	opened, err := tlog.OpenCheckpoint([]byte(out.InclusionProof.Checkpoint), x.keys)
	if err != nil {
		return fmt.Errorf("%w: %w", errChecks, err)
	}
	hashes, err := hashesOf(out.InclusionProof.Hashes)
	if err != nil {
		return err
	}
	if err := (tlog.Proof{Index: index, Hashes: hashes}).Includes(tlog.Hash(hash), opened.Tree); err != nil {
		return fmt.Errorf("%w: the log was rewritten: event %d is not the one that was exported: %w", errChecks, index, err)
	}
	x.tree = opened.Tree
	return nil
}

func hashesOf(list [][]byte) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(list))
	for i, h := range list {
		if copy(out[i][:], h) != tlog.HashSize || len(h) != tlog.HashSize {
			return nil, fmt.Errorf("%w: %s is not a hash", errChecks, base64.StdEncoding.EncodeToString(h))
		}
	}
	return out, nil
}

// longestLine bounds a line of an export, in bytes.
const longestLine = 1 << 20

// open opens the file that is exported into, cuts off a half line, and gives the last whole one.
func (x *logExport) open(path string, fromGiven bool) (last head, err error) {
	if x.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return last, fmt.Errorf("%w: %w", errWrongCall, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.file.Close())
		}
	}()
	size, err := x.file.Seek(0, io.SeekEnd)
	if err != nil {
		return last, err
	}
	if size > 0 && fromGiven {
		return last, fmt.Errorf("%w: %s was begun and knows where to go on: leave out --from", errWrongCall, path)
	}
	tail := make([]byte, min(size, 2*longestLine))
	if _, err := x.file.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return last, err
	}
	end := bytes.LastIndexByte(tail, '\n') + 1
	half := tail[end:]
	if end > 0 {
		line := tail[bytes.LastIndexByte(tail[:end-1], '\n')+1 : end-1]
		if err := json.Unmarshal(line, &last); err != nil {
			return last, notOurs(path)
		}
	}
	_, _, format := last.event()
	if last.Checkpoint != "" {
		format = x.begunAs()
	}
	if format != "" && format != x.format {
		return last, fmt.Errorf("%w: %s holds %s: say --format %s, or another file", errWrongCall, path, format, format)
	} else if end > 0 && format == "" && last.Checkpoint == "" || !begunLikeOurs(half) {
		return last, notOurs(path)
	}
	if len(half) > 0 {
		fmt.Fprintf(x.stderr, "plimsoll: a half line of %d bytes at the end of %s is cut off\n", len(half), path)
	}
	if err := x.file.Truncate(size - int64(len(half))); err != nil {
		return last, err
	}
	if _, err = x.file.Seek(0, io.SeekEnd); err != nil {
		return last, err
	}
	x.to.Reset(x.file)
	return last, nil
}

// begunAs gives the format of the first line of the file; empty when it is no event.
func (x *logExport) begunAs() string {
	var first head
	line, err := bufio.NewReader(io.NewSectionReader(x.file, 0, longestLine)).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &first) != nil {
		return ""
	}
	_, _, format := first.event()
	return format
}

func notOurs(path string) error {
	return fmt.Errorf("%w: %s holds something else than an export of the log: it was left as it is", errWrongCall, path)
}

// begunLikeOurs tells whether a half line can be that of an export: nothing else is cut off.
func begunLikeOurs(half []byte) bool {
	for _, begin := range []string{`{"logIndex":`, `{"activity_id":`, `{"checkpoint":`} {
		if bytes.HasPrefix(half, []byte(begin)) || bytes.HasPrefix([]byte(begin), half) {
			return true
		}
	}
	return false
}
