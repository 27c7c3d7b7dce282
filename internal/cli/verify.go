package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/plimsoll/plimsoll/internal/passport"
)

const verifyUsage = `Checks a passport of a release, without server and network: plimsoll verify FILE.zip|DIR [FLAGS]

It ends with 0 when everything in it holds, and with 1 when something does not.

  --release-key FILE.pub  a key that you trust, got over another road; repeatable. Without, those in the passport are believed
  --log-key FILE.vkey     keys of the log and its witnesses, a line each. Without, those in the passport are believed
  --complete              fail, too, when something was left out or cannot be looked at
  --output FORMAT         text (default) or json
`

// verifyPassport checks a passport.
func verifyPassport(ctx context.Context, env environment, args []string) error {
	var keys list
	var logKey, output string
	var complete bool
	flags := flag.NewFlagSet("plimsoll verify", flag.ContinueOnError)
	flags.Var(&keys, "release-key", "")
	flags.StringVar(&logKey, "log-key", "", "")
	flags.BoolVar(&complete, "complete", false, "")
	flags.StringVar(&output, "output", "text", "")
	words, err := parseWords(env, flags, verifyUsage, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || output != "text" && output != "json" {
		return fmt.Errorf("%w: give one passport, a zip file or a folder; --output is text or json", errWrongCall)
	}
	opts := passport.Options{}
	for _, name := range keys {
		key, err := readSmall(name)
		if err != nil {
			return err
		}
		opts.ReleaseKeys = append(opts.ReleaseKeys, key)
	}
	if logKey != "" {
		if opts.LogKeys, err = readSmall(logKey); err != nil {
			return err
		}
	}
	files, done, err := openPassport(words[0])
	if err != nil {
		return err
	}
	report, err := passport.Verify(ctx, files, opts)
	if err := errors.Join(err, done()); err != nil {
		return fmt.Errorf("%w: %w", errWrongCall, err)
	}
	if output == "json" {
		err = writeJSON(env.stdout, report)
	} else {
		_, err = io.WriteString(env.stdout, inWords(report))
	}
	switch {
	case err != nil:
		return err
	case report.Wrong():
		return fmt.Errorf("%w in %s", errChecks, words[0])
	case complete && !report.Complete():
		return fmt.Errorf("%w in %s: it is not complete", errChecks, words[0])
	}
	return nil
}

// readSmall reads a file of keys.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errWrongCall, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// openPassport opens a folder, out of which nothing leads, or a zip file.
func openPassport(name string) (files fs.FS, done func() error, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errWrongCall, err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, nil, fmt.Errorf("open %s: %w", name, err)
		}
		return root.FS(), root.Close, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", name, err)
	}
	z, err := passport.Open(f, info.Size())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: %s: %w", errChecks, name, err), f.Close())
	}
	return z, f.Close, nil
}

// inWords says what was checked, what is wrong, what could not be looked at, whose keys were believed, and the standing.
func inWords(r passport.Report) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s, %s\n", r.Application, r.Version, r.ManifestDigest)
	fmt.Fprintf(&out, "Checked: %d files, %d statements, %d pieces of evidence (%d by their signatures), %d decisions, %d leaves of the log\n",
		r.Files, r.Statements, r.Evidence, r.Signatures, r.Decisions, r.Leaves)
	for _, outcome := range []passport.Outcome{passport.Wrong, passport.NotChecked} {
		for _, c := range r.Checks {
			if c.Outcome == outcome {
				fmt.Fprintf(&out, "%s: %s: %s\n", strings.ReplaceAll(string(outcome), "_", " "), c.File, c.Why)
			}
		}
	}
	for _, k := range r.ReleaseKeys {
		fmt.Fprintf(&out, "Release key: %s, %s\n", k.Name, whose(k))
	}
	if r.Log.Name != "" {
		fmt.Fprintf(&out, "Log: %s, %d events, its key %s\n", r.Log.Name, r.TreeSize, whose(r.Log))
	}
	for _, name := range r.Witnesses {
		fmt.Fprintf(&out, "Witness: %s\n", name)
	}
	if r.Standing != "" && !r.Wrong() {
		fmt.Fprintf(&out, "Standing when the passport was made: %s since %s\n", r.Standing, r.Since)
	}
	return strings.Map(func(c rune) rune { // what others wrote moves no cursor
		if unicode.IsControl(c) && c != '\n' {
			return -1
		}
		return c
	}, out.String())
}

func whose(k passport.Key) string {
	if k.Given {
		return "given by you"
	}
	return "believed because it is in the passport"
}
