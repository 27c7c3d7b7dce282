// Command tlogcheck checks a whole log in the layout of C2SP tlog-tiles with Tessera's client, which shares no code with
// Plimsoll: the checkpoint with a key, every leaf, every tile and the root, and that the log goes on from an older checkpoint.
//
//	tlogcheck --url https://plimsoll.example.org/log/ --key log.vkey --old yesterday.checkpoint
//
// It ends with 0 when all of it holds, with 1 when anything does not or could not be read in time, and with 2 when the call was
// wrong. Leaves are read with the token in the variable TLOGCHECK_TOKEN, if it is set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// workers is how many tiles are compared at once.
const workers = 8

// patience is how long the log may take to answer one request. What is not answered then ends the check.
const patience = 10 * time.Second

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tlogcheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	where := flags.String("url", "", "where the log is: https://…, http://… or file:///FOLDER")
	key := flags.String("key", "", "file with the log's verifier keys, one a line; one of them has to have signed")
	old := flags.String("old", "", "file with an older checkpoint, from which the log has to go on")
	limit := flags.Duration("timeout", 5*time.Minute, "how long all of it may take")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *where == "" || *key == "" {
		fmt.Fprintln(stderr, "tlogcheck: needs --url and --key, and takes nothing but flags")
		return 2
	}
	ctx, stop := context.WithTimeout(context.Background(), *limit)
	defer stop()
	said, err := within(ctx, func() (string, error) { return check(ctx, *where, *key, *old) })
	if err != nil {
		fmt.Fprintln(stderr, "tlogcheck:", err)
		return 1
	}
	fmt.Fprintln(stdout, said)
	return 0
}

// within gives up when ctx ends, although what it waits for may not: the workers of the library wait for each other for ever
// after some failures.
func within(ctx context.Context, do func() (string, error)) (string, error) {
	type result struct {
		said string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		said, err := do()
		done <- result{said, err}
	}()
	select {
	case r := <-done:
		return r.said, r.err
	case <-ctx.Done():
		return "", fmt.Errorf("the check did not end: %w", context.Cause(ctx))
	}
}

// check reads the whole log, and says what it found.
func check(ctx context.Context, where, keyFile, oldFile string) (string, error) {
	source, err := open(where)
	if err != nil {
		return "", err
	}
	// One checkpoint for all: the log may become longer meanwhile.
	raw, err := source.ReadCheckpoint(ctx)
	if err != nil {
		return "", fmt.Errorf("read the checkpoint: %w", err)
	}
	verifier, newest, err := verified(raw, keyFile)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pinned := fixed{source, raw, cancel}
	found := make(chan error, 1)
	go func() {
		found <- fsck.New(verifier.Name(), verifier, pinned, leafHashes, fsck.Opts{N: workers}).Check(ctx)
	}()
	select {
	case err = <-found:
	case <-ctx.Done():
	}
	if err := errors.Join(err, context.Cause(ctx)); err != nil {
		return "", fmt.Errorf("the log of %d leaves is not what its checkpoint says: %w", newest.Size, err)
	}
	said := fmt.Sprintf("%s: %d leaves, every tile and the root are as the checkpoint says", newest.Origin, newest.Size)
	if oldFile == "" {
		return said, nil
	}
	older, err := goesOn(ctx, source, newest, verifier, oldFile)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s; it goes on from the checkpoint of %d", said, older.Size), nil
}

// open gives what reads the log.
func open(where string) (fsck.Fetcher, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, fmt.Errorf("read the URL: %w", err)
	}
	switch u.Scheme {
	case "file":
		return client.FileFetcher{Root: u.Path}, nil
	case "http", "https":
		over, err := client.NewHTTPFetcher(u, &http.Client{Timeout: patience})
		if err != nil {
			return nil, err
		}
		if token := os.Getenv("TLOGCHECK_TOKEN"); token != "" {
			over.SetAuthorizationHeader("Bearer " + token)
		}
		return over, nil
	}
	return nil, fmt.Errorf("%q is no https://, http:// or file:// URL", where)
}

// verified opens a checkpoint with the first of the keys that signed it.
func verified(checkpoint []byte, keyFile string) (note.Verifier, *log.Checkpoint, error) {
	keys, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("read the keys: %w", err)
	}
	var problems []error
	for _, line := range strings.Fields(string(keys)) {
		verifier, err := note.NewVerifier(line)
		if err != nil {
			return nil, nil, fmt.Errorf("read the keys: %w", err)
		}
		signed, _, _, err := log.ParseCheckpoint(checkpoint, verifier.Name(), verifier)
		if err == nil {
			return verifier, signed, nil
		}
		problems = append(problems, err)
	}
	return nil, nil, fmt.Errorf("no key opens the checkpoint: %w", errors.Join(problems...))
}

// goesOn proves that the log goes on from an older checkpoint, with hashes from its tiles.
func goesOn(ctx context.Context, source fsck.Fetcher, newest *log.Checkpoint, verifier note.Verifier, oldFile string) (*log.Checkpoint, error) {
	raw, err := os.ReadFile(oldFile)
	if err != nil {
		return nil, fmt.Errorf("read the older checkpoint: %w", err)
	}
	older, _, _, err := log.ParseCheckpoint(raw, verifier.Name(), verifier)
	if err != nil {
		return nil, fmt.Errorf("open the older checkpoint: %w", err)
	}
	if older.Size > newest.Size {
		return nil, fmt.Errorf("the log has %d leaves, and the older checkpoint is of %d", newest.Size, older.Size)
	}
	builder, err := client.NewProofBuilder(ctx, newest.Size, source.ReadTile)
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	hashes, err := builder.ConsistencyProof(ctx, older.Size, newest.Size)
	if err != nil {
		return nil, fmt.Errorf("make the consistency proof: %w", err)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newest.Size, hashes, older.Hash, newest.Hash); err != nil {
		return nil, fmt.Errorf("the log does not go on from the older checkpoint of %d leaves: %w", older.Size, err)
	}
	return older, nil
}

// leafHashes hashes the leaves of a bundle.
func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, fmt.Errorf("read a bundle of leaves: %w", err)
	}
	hashes := make([][]byte, len(entries.Entries))
	for i, leaf := range entries.Entries {
		hashes[i] = rfc6962.DefaultHasher.HashLeaf(leaf)
	}
	return hashes, nil
}

// fixed is a log at one of its checkpoints. What cannot be read ends the check at once.
type fixed struct {
	fsck.Fetcher
	checkpoint []byte
	fail       context.CancelCauseFunc
}

// ReadCheckpoint implements fsck.Fetcher.
func (f fixed) ReadCheckpoint(context.Context) ([]byte, error) { return f.checkpoint, nil }

// ReadTile implements fsck.Fetcher.
func (f fixed) ReadTile(ctx context.Context, level, index uint64, width uint8) ([]byte, error) {
	b, err := f.Fetcher.ReadTile(ctx, level, index, width)
	if err != nil {
		f.fail(fmt.Errorf("read tile %d of level %d: %w", index, level, err))
	}
	return b, err
}

// ReadEntryBundle implements fsck.Fetcher.
func (f fixed) ReadEntryBundle(ctx context.Context, index uint64, width uint8) ([]byte, error) {
	b, err := f.Fetcher.ReadEntryBundle(ctx, index, width)
	if err == nil {
		err = holds(b, int(width))
	}
	if err != nil {
		err = fmt.Errorf("read bundle %d: %w", index, err)
		f.fail(err)
	}
	return b, err
}

// holds fails when a bundle has fewer leaves than it has to: the library relies on them. A width of 0 is that of a full one.
func holds(bundle []byte, width int) error {
	hashes, err := leafHashes(bundle)
	if err != nil {
		return err
	}
	if width == 0 {
		width = layout.EntryBundleWidth
	}
	if len(hashes) < width {
		return fmt.Errorf("it has %d leaves, not %d", len(hashes), width)
	}
	return nil
}
