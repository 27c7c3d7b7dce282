package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/demo"
)

const demoUsage = `Walks a payments gateway from a CI build to a signed trusted release, on real documents.

Without --url it starts a server of its own on a free port of the loopback interface, with a temporary data directory,
and removes both at the end.

  --url URL      (PLIMSOLL_URL)    use the server at this address
  --token TOKEN  (PLIMSOLL_TOKEN)  an organisation admin's token for it; prefer the environment
  --keep DIR                       keep the files that prove the release in this folder
  --verbose                        show every document that is sent and every answer in full
`

// demoFlags are what the demonstration is told on the command line.
type demoFlags struct {
	url, token, keep string
	verbose          bool
}

// runDemo tells the story of package demo on the server that the flags name, or on one of its own.
func runDemo(ctx context.Context, env environment, args []string) (err error) {
	flags, err := readDemoFlags(env, args)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "plimsoll-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	options := demo.Options{
		URL: flags.url, Token: flags.token, Place: "on the server at " + flags.url,
		Dir: flags.keep, Tools: env.getenv("PLIMSOLL_TOOLS"),
		Out: env.stdout, Color: colorful(env), Verbose: flags.verbose,
	}
	if options.Dir == "" {
		options.Dir = temporary + "/proof"
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for the proof: %w", err)
	}
	if flags.url != "" {
		options.Run = strings.ToLower(rand.Text()[:6])
		return tellDemo(ctx, options, flags.keep != "")
	}
	return withServer(ctx, env, temporary+"/data", func(ctx context.Context, url, token string) error {
		options.URL, options.Token, options.Place = url, token, "on a server started for it, with a database of its own, at "+url
		return tellDemo(ctx, options, flags.keep != "")
	})
}

func tellDemo(ctx context.Context, options demo.Options, kept bool) error {
	if _, err := demo.Run(ctx, options); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	hint := "The files are in " + options.Dir + ". Check the release yourself, without a server:\n\n" +
		"  cd " + options.Dir + " && cosign verify-blob-attestation --key release.pub --bundle release.sigstore.json \\\n" +
		"    --insecure-ignore-tlog --type " + attest.PredicateRelease + " manifest.json\n"
	if !kept {
		hint = "The files are gone with the run; plimsoll demo --keep DIR keeps them.\n"
	}
	_, err := io.WriteString(options.Out, hint)
	return err
}

func readDemoFlags(env environment, args []string) (demoFlags, error) {
	var f demoFlags
	fs := flag.NewFlagSet("plimsoll demo", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&f.url, "url", env.getenv("PLIMSOLL_URL"), "")
	fs.StringVar(&f.token, "token", env.getenv("PLIMSOLL_TOKEN"), "")
	fs.StringVar(&f.keep, "keep", "", "")
	fs.BoolVar(&f.verbose, "verbose", false, "")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, writing := io.WriteString(env.stdout, demoUsage)
		return f, errors.Join(err, writing)
	case err != nil:
		return f, fmt.Errorf("%w: %w; run with --help for the list", errWrongCall, err)
	case fs.NArg() > 0:
		return f, fmt.Errorf("%w: demo takes flags only, found %q", errWrongCall, fs.Arg(0))
	case f.url != "" && f.token == "":
		return f, fmt.Errorf("%w: --url needs --token (PLIMSOLL_TOKEN), the token of an organisation admin there", errWrongCall)
	}
	return f, nil
}

// withServer starts a service as serve does, on a data directory and a free port, and ends it when do returns.
func withServer(ctx context.Context, env environment, data string, do func(ctx context.Context, url, token string) error) error {
	// Nothing of the environment counts here: the database that serve would use is not the demonstration's.
	cfg, err := config.Load([]string{"--data", data, "--listen", "127.0.0.1:0", "--log-level", "warn"}, func(string) string { return "" })
	if err != nil {
		return fmt.Errorf("set up a server: %w", err)
	}
	a, err := app.New(ctx, cfg, logger(cfg, env.stderr), time.Now)
	if err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("start a server: listen: %w", err), a.Close())
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(serving, listener) }()
	err = do(ctx, "http://"+listener.Addr().String(), a.BootstrapToken)
	stop()
	return errors.Join(err, <-ended, a.Close())
}

// colorful tells whether the output goes to a terminal that wants colours (https://no-color.org).
func colorful(env environment) bool {
	return env.getenv("NO_COLOR") == "" && env.getenv("TERM") != "dumb" && isTerminal(env.stdout)
}
