package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
)

const redactUsage = `Leaves files out of a passport, which still verifies: plimsoll passport redact FILE.zip --leave-out DIGEST [FLAGS]

Evidence is named by the digest of its payload, any other file by its own. passport.json still lists what is missing. What a piece
of evidence says may stand in the input.json of decisions, too.

  --leave-out DIGEST  what to leave out, sha256:…; repeatable
  --output FILE.zip   where to; what is there is never written over
`

// redactPassport writes a passport again without what others are not to see.
func redactPassport(_ context.Context, env environment, args []string) (err error) {
	var digests list
	var to string
	flags := flag.NewFlagSet("plimsoll passport redact", flag.ContinueOnError)
	flags.Var(&digests, "leave-out", "")
	flags.StringVar(&to, "output", "", "")
	words, err := parseWords(env, flags, redactUsage, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || len(digests) == 0 || to == "" {
		return fmt.Errorf("%w: give one passport, what to leave out with --leave-out, and where to with --output", errWrongCall)
	}
	for _, d := range digests {
		if !canonical.IsDigest(d) {
			return fmt.Errorf("%w: --leave-out takes digests, sha256: and 64 digits, not %q", errWrongCall, d)
		}
	}
	from, err := os.Open(words[0])
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongCall, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	info, err := from.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", words[0], err)
	}
	z, err := passport.Open(from, info.Size())
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errWrongCall, words[0], err)
	}
	var left []passport.File
	_, err = writeNew(to, func(f *os.File) (string, error) {
		left, err = passport.Redact(z, f, digests)
		return "", err
	})
	if refused, ok := errors.AsType[passport.RefusedError](err); ok {
		return fmt.Errorf("%w: %w", errWrongCall, refused)
	}
	if err != nil {
		return err
	}
	for _, f := range left {
		if _, err := fmt.Fprintf(env.stdout, "left out: %s\n", f.Path); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(env.stdout, "%s is written\n", to)
	return err
}
