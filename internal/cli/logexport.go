package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

const logExportUsage = `Exports the log as one JSON object a line, with the signed checkpoint at the end: plimsoll log export [FLAGS]

Into a file it goes on where the file ends: it looks whether what was exported before is still what the log says, cuts off a
half line, and appends what happened since. It ends with 1 when the log is not the one that was exported.

  --output FILE     where to; without it, to the standard output
  --from N          the index of the first event; 0 without it. A file that was begun knows its own
  --format FORMAT   jsonl, as activityLog shows events, or ocsf, which systems that watch understand; jsonl without it
  --follow          do not end, and look every two seconds for what happened
`

const (
	// followEvery is how long to wait before looking for new events.
	followEvery = 2 * time.Second
	// atOnce is how many events are asked for at once.
	atOnce = 10_000
)

// logExport is an export that is under way.
type logExport struct {
	server *client.Client
	stderr io.Writer
	format string
	keys   []string
	next   int64     // the index of the next event
	tree   tlog.Tree // of the newest checkpoint that was seen; empty for none
	wrote  bool      // whether events were written since the last checkpoint
	ended  bool      // whether the answer that is read had its checkpoint
	to     *bufio.Writer
	file   *os.File // nil for the standard output
}

// exportLog writes events for systems that watch.
func exportLog(ctx context.Context, env environment, args []string) (err error) {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		if _, err := io.WriteString(env.stdout, logExportUsage+exportRemote); err != nil {
			return err
		}
		return flag.ErrHelp
	}
	r := remote{output: "text"}
	fs := flag.NewFlagSet("plimsoll log export", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&r.url, "url", env.getenv("PLIMSOLL_URL"), "")
	fs.StringVar(&r.token, "token", env.getenv("PLIMSOLL_TOKEN"), "")
	path, from := fs.String("output", "", ""), fs.Int64("from", -1, "")
	format, follow := fs.String("format", "jsonl", ""), fs.Bool("follow", false, "")
	if err := r.parseAlone(env, fs, logExportUsage, args); err != nil {
		return err
	}
	if *format != "jsonl" && *format != "ocsf" {
		return fmt.Errorf("%w: --format is jsonl or ocsf, not %q", errWrongCall, *format)
	}
	x := &logExport{stderr: env.stderr, format: *format, next: max(*from, 0), to: bufio.NewWriter(env.stdout)}
	if x.server, err = r.client(); err != nil {
		return err
	}
	last := head{}
	if *path != "" {
		if last, err = x.open(*path, *from >= 0); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, x.file.Close()) }()
	}
	if err := x.agreeWith(ctx, last); err != nil {
		return err
	}
	return x.run(ctx, *follow)
}

// run exports what there is, and when it follows, what comes, until ctx is done.
func (x *logExport) run(ctx context.Context, follow bool) error {
	for {
		err := x.catchUp(ctx)
		if flushed := x.to.Flush(); err == nil {
			err = flushed
		}
		if !follow || err != nil && ctx.Err() == nil && (callersOwn(err) || !unreachable(err)) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(x.stderr, "plimsoll: no answer, which is tried again:", err)
		}
		select {
		case <-ctx.Done():
			return nil // whoever follows says when it is enough
		case <-time.After(followEvery):
		}
	}
}

// unreachable tells whether an error says no more than that nobody answered.
func unreachable(err error) bool {
	_, no := errors.AsType[*client.NoAnswerError](err)
	return no
}

// catchUp exports until the newest checkpoint.
func (x *logExport) catchUp(ctx context.Context) error {
	for {
		err := client.Retry(ctx, pause, func() error {
			x.ended = false
			path := fmt.Sprintf("/log/export?from=%d&limit=%d&format=%s", x.next, atOnce, x.format)
			return x.server.Lines(ctx, path, func(line []byte) error { return x.take(ctx, line) })
		})
		if err != nil {
			return fmt.Errorf("read events from %d: %w", x.next, err)
		}
		if !x.ended {
			return &client.NoAnswerError{Err: errors.New("the export ended without its checkpoint")}
		}
		if x.next == x.tree.Size {
			return nil
		}
	}
}

// head is what a line says of itself: it is an event in one of the formats, or a checkpoint.
type head struct {
	LogIndex *int64 `json:"logIndex"`
	LeafHash []byte `json:"leafHash"`
	Leaf     []byte `json:"leaf"`
	Metadata struct {
		Sequence *int64 `json:"sequence"`
		UID      []byte `json:"uid"`
	} `json:"metadata"`
	Checkpoint string `json:"checkpoint"`
	Next       int64  `json:"next"`
}

// event gives index and leaf hash of an event; the format is empty for what is none.
func (h head) event() (index int64, hash []byte, format string) {
	switch {
	case h.LogIndex != nil:
		return *h.LogIndex, h.LeafHash, "jsonl"
	case h.Metadata.Sequence != nil:
		return *h.Metadata.Sequence, h.Metadata.UID, "ocsf"
	}
	return 0, nil, ""
}

// take writes a line after a look at it.
func (x *logExport) take(ctx context.Context, line []byte) error {
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return fmt.Errorf("the server sent a line that is no export: %w", err)
	}
	if h.Checkpoint != "" {
		return x.close(ctx, h, line)
	}
	index, hash, format := h.event()
	if format != x.format || index != x.next || len(hash) != tlog.HashSize {
		return fmt.Errorf("%w: the server sent something else where event %d belongs", errChecks, x.next)
	}
	if leaf := tlog.LeafHash(h.Leaf); format == "jsonl" && string(leaf[:]) != string(hash) {
		return fmt.Errorf("%w: the leaf of event %d has another hash", errChecks, index)
	}
	if err := x.write(line); err != nil {
		return err
	}
	x.next++
	x.wrote = true
	return nil
}

// close takes the checkpoint that ends an answer. It is written where the log ends for now, and when it says something new.
func (x *logExport) close(ctx context.Context, h head, line []byte) error {
	before := x.tree.Size
	if err := x.agree(ctx, h.Checkpoint); err != nil {
		return err
	}
	if h.Next != x.next || x.tree.Size < x.next {
		return fmt.Errorf("%w: the checkpoint does not cover the events up to %d", errChecks, x.next)
	}
	x.ended = true
	if x.next < x.tree.Size || !x.wrote && before == x.tree.Size {
		return nil
	}
	x.wrote = false
	if err := x.write(line); err != nil {
		return err
	}
	if err := x.to.Flush(); err != nil || x.file == nil {
		return err
	}
	return x.file.Sync()
}

func (x *logExport) write(line []byte) error {
	_, err := x.to.Write(line)
	return errors.Join(err, x.to.WriteByte('\n'))
}

// agreeWith looks whether the last line of a file is still what the log says, and finds out where to go on.
func (x *logExport) agreeWith(ctx context.Context, last head) error {
	var keys []byte
	err := client.Retry(ctx, pause, func() (err error) {
		keys, err = x.server.Get(ctx, "/log/key")
		return err
	})
	if err != nil {
		return err
	}
	x.keys = strings.Fields(string(keys))
	index, hash, format := last.event()
	switch {
	case last.Checkpoint != "":
		file, err := tlog.OpenCheckpoint([]byte(last.Checkpoint), x.keys)
		if err != nil {
			return fmt.Errorf("%w: the file was exported from another log: %w", errChecks, err)
		}
		x.tree, x.next = file.Tree, last.Next
	case format != "":
		if err := x.included(ctx, index, hash); err != nil {
			return err
		}
		x.next, x.wrote = index+1, true
		return nil
	default:
		return nil
	}
	var newest []byte
	err = client.Retry(ctx, pause, func() (err error) {
		newest, err = x.server.Get(ctx, "/log/checkpoint")
		return err
	})
	if err != nil {
		return err
	}
	file := x.tree
	if err := x.agree(ctx, string(newest)); err != nil {
		return err
	}
	x.tree = file // whose checkpoint was written
	return nil
}
