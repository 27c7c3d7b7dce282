package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
)

const passportUsage = `Writes the passport of a release, with all that it takes to check it elsewhere: plimsoll passport DIGEST [FLAGS]

DIGEST is that of the version's manifest, or of something in it: then the newest release that holds it is meant.

  --output FILE        where to; without it, a file called like the version. What is there is never written over
  --leave-out DIGEST   repeat: a piece of evidence, by its payload, or another file that is listed and not in it
`

// writePassport downloads a passport into a file that is there whole or not at all.
func writePassport(ctx context.Context, env environment, args []string) error {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		if _, err := io.WriteString(env.stdout, passportUsage+exportRemote); err != nil {
			return err
		}
		return flag.ErrHelp
	}
	r := remote{output: "text"}
	var to string
	var leaveOut list
	fs := flag.NewFlagSet("plimsoll passport", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&r.url, "url", env.getenv("PLIMSOLL_URL"), "")
	fs.StringVar(&r.token, "token", env.getenv("PLIMSOLL_TOKEN"), "")
	fs.StringVar(&to, "output", "", "")
	fs.Var(&leaveOut, "leave-out", "")
	words, err := r.parse(env, fs, passportUsage, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || !canonical.IsDigest(words[0]) {
		return fmt.Errorf("%w: give one digest, sha256: and 64 hexadecimal digits", errWrongCall)
	}
	if to != "" { // before anything is asked for
		if err := nothingAt(to); err != nil {
			return err
		}
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	path := "/passports/" + words[0]
	if len(leaveOut) > 0 {
		path += "?" + url.Values{"leaveOut": leaveOut}.Encode()
	}
	written, err := download(ctx, server, path, to)
	if err != nil {
		return fmt.Errorf("get the passport: %w", err)
	}
	_, err = fmt.Fprintf(env.stdout, "%s: check it with plimsoll verify, or unpack it and run verify.sh\n", written)
	return err
}

// download writes what the server gives to a new file; without a name it is called as the server calls it.
func download(ctx context.Context, server *client.Client, path, to string) (written string, err error) {
	return writeNew(to, func(f *os.File) (called string, err error) {
		err = client.Retry(ctx, pause, func() error {
			if err := restart(f); err != nil {
				return err
			}
			called, err = server.Download(ctx, path, f)
			return err
		})
		return called, err
	})
}

// writeNew makes a file that appears whole or not at all, and writes over none. Without a name it is called as write says.
func writeNew(to string, write func(*os.File) (called string, err error)) (written string, err error) {
	f, err := os.CreateTemp(filepath.Dir(to), ".passport-*.part") // with mode 0600
	if err != nil {
		return "", fmt.Errorf("%w: --output: %w", errWrongCall, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // by then it has its own name, or is of no use
	called, err := write(f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", err
	}
	if to == "" {
		if to = called; to == "" || filepath.Base(to) != to || strings.HasPrefix(to, ".") {
			return "", fmt.Errorf("%w: the server does not say what to call it: give --output", errWrongCall)
		}
	}
	if err := nothingAt(to); err != nil {
		return "", err
	}
	return to, os.Link(f.Name(), to) // which, unlike renaming, writes over nothing
}

// restart empties a file for another try.
func restart(f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.Truncate(0)
}
