package cli

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// pause is how long the first wait before another try is.
const pause = 500 * time.Millisecond

// remoteUsage is the end of the help of every command that talks to a server.
const remoteUsage = `
  --url URL        (PLIMSOLL_URL)    the server
  --token TOKEN    (PLIMSOLL_TOKEN)  who asks; prefer the environment, where other users do not see it
  --output FORMAT                    text (default) or json
`

// remote are the flags of every command that talks to a server.
type remote struct {
	url, token, output string
}

// remoteFlags makes the flags of a command, with those of remote among them.
func remoteFlags(env environment, command string, r *remote) *flag.FlagSet {
	fs := flag.NewFlagSet("plimsoll "+command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&r.url, "url", env.getenv("PLIMSOLL_URL"), "")
	fs.StringVar(&r.token, "token", env.getenv("PLIMSOLL_TOKEN"), "")
	fs.StringVar(&r.output, "output", "text", "")
	return fs
}

// client makes the client that the flags name.
func (r remote) client() (*client.Client, error) {
	if r.url == "" {
		return nil, fmt.Errorf("%w: say which server with --url or PLIMSOLL_URL", errWrongCall)
	}
	if strings.TrimSpace(r.token) == "" {
		return nil, fmt.Errorf("%w: say who asks with PLIMSOLL_TOKEN", errWrongCall)
	}
	c, err := client.New(r.url, r.token)
	if err != nil {
		return nil, fmt.Errorf("%w: --url: %w", errWrongCall, err)
	}
	return c, nil
}

// parse reads flags, before and after the words of a command, and returns the words.
func (r *remote) parse(env environment, fs *flag.FlagSet, usage string, args []string) (words []string, err error) {
	if words, err = parseWords(env, fs, usage+remoteUsage, args); err != nil {
		return nil, err
	}
	if r.output != "text" && r.output != "json" {
		return nil, fmt.Errorf("%w: --output is text or json, not %q", errWrongCall, r.output)
	}
	return words, nil
}

// parseWords is parse for a command that talks to no server. Everything behind "--" is a word.
func parseWords(env environment, fs *flag.FlagSet, usage string, args []string) (words []string, err error) {
	fs.SetOutput(io.Discard)
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			_, writing := io.WriteString(env.stdout, usage)
			return nil, errors.Join(err, writing)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w; run with --help for the list", errWrongCall, err)
		}
		rest := fs.Args()
		if ended := len(args) > len(rest) && args[len(args)-len(rest)-1] == "--"; ended || len(rest) == 0 {
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// parseAlone is parse for a command that takes flags only, some of which must be there.
func (r *remote) parseAlone(env environment, fs *flag.FlagSet, usage string, args []string, needed ...string) error {
	words, err := r.parse(env, fs, usage, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return fmt.Errorf("%w: %s takes flags only, found %q", errWrongCall, fs.Name(), words[0])
	}
	for _, name := range needed {
		if fs.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%w: --%s is missing", errWrongCall, name)
		}
	}
	return nil
}

// list is a flag that may be given several times.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements flag.Value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// writeJSON writes a value on one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// callersOwn tells whether an error is about what the caller asked for.
func callersOwn(err error) bool {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return true
	}
	p, ok := errors.AsType[*client.AnswerError](err)
	return ok && p.Refused() || errors.Is(err, errWrongCall)
}
