package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/estate"
)

const benchUsage = `Makes up an estate and loads it into an empty database, to measure on: plimsoll bench estate [FLAGS]

The same flags and seed make the same estate. At the end it says how fast that went, how much memory it took, and which
components to ask the blast radius of, with the true answers.

  --data DIR         as for serve (PLIMSOLL_DATA)
  --database DSN     as for serve (PLIMSOLL_DATABASE)
  --applications N   applications (20)
  --versions N       versions of each (5)
  --artifacts N      artifacts of each version (3)
  --components N     components that the bill of an artifact lists (100)
  --changed N        artifacts that are new in a version, the others are as before; 0 for all (0)
  --pool N           components to draw from (5000)
  --zipf X           how unevenly: the weight of rank r is 1/(r+20)^X (0.9)
  --advisories N     advisories, beside those of the components to ask about (500)
  --seed N           what chance begins with (1)

For example --applications 200 --versions 10 --components 150 --pool 20000, which makes 906,000 edges, or
--applications 10000 --versions 10 --artifacts 5 --changed 1 --components 200 --pool 100000 --advisories 20000.
`

// benchFlags are what the command is told.
type benchFlags struct {
	shape          estate.Shape
	data, database string
}

func readBenchFlags(env environment, args []string) (f benchFlags, err error) {
	f.shape = estate.Small()
	flags := flag.NewFlagSet("plimsoll bench estate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&f.data, "data", "", "")
	flags.StringVar(&f.database, "database", "", "")
	for name, at := range map[string]*int{
		"applications": &f.shape.Applications, "versions": &f.shape.Versions, "artifacts": &f.shape.Artifacts, "components": &f.shape.Components,
		"changed": &f.shape.Changed, "pool": &f.shape.Pool, "advisories": &f.shape.Advisories,
	} {
		flags.IntVar(at, name, *at, "")
	}
	flags.Float64Var(&f.shape.Zipf, "zipf", f.shape.Zipf, "")
	flags.Uint64Var(&f.shape.Seed, "seed", f.shape.Seed, "")
	err = flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, failed := io.WriteString(env.stdout, benchUsage)
		return f, errors.Join(err, failed)
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("takes flags only, found %q", flags.Arg(0))
	}
	if err == nil {
		err = f.shape.Check()
	}
	if err != nil {
		return f, fmt.Errorf("%w: %w", errWrongCall, err)
	}
	return f, nil
}

// benchEstate loads an estate into the database that the flags name.
func benchEstate(ctx context.Context, env environment, args []string) (err error) {
	f, err := readBenchFlags(env, args)
	if err != nil {
		return err
	}
	var settings []string
	for name, value := range map[string]string{"--data": f.data, "--database": f.database} {
		if value != "" {
			settings = append(settings, name, value)
		}
	}
	cfg, err := config.Load(settings, env.getenv)
	if err != nil {
		return fmt.Errorf("%w:\n%w", errWrongCall, err)
	}
	a, err := app.New(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	token := a.BootstrapToken
	if token == "" {
		token = cfg.BootstrapToken
	}
	if token == "" {
		return fmt.Errorf("%w: the database is in use: name an empty one with --data or --database", errWrongCall)
	}
	do := a.Services()
	if ctx, err = do.Access.Authenticate(ctx, token); err != nil {
		return err
	}
	done, err := estate.Load(ctx, estate.Services{
		Catalog: do.Catalog, Versions: do.Versions, Evidence: do.Evidence, Releases: do.Releases,
		Deployments: do.Deployments, Vulnerabilities: do.Vulnerabilities, Now: time.Now,
	}, f.shape, func(s estate.Step) { fmt.Fprintln(env.stdout, s) })
	if err != nil {
		return err
	}
	if a.BootstrapToken != "" {
		fmt.Fprintf(env.stdout, "\nAdmin's token: %s\n", token)
	}
	return tellEstate(env.stdout, done)
}

func tellEstate(w io.Writer, done *estate.Loaded) error {
	fmt.Fprintf(w, "\n%d versions. What to ask about:\n", done.Versions)
	for _, t := range done.Targets {
		fmt.Fprintf(w, "  %-5s %s, %s: in %d versions, %d of them in a stage\n", t.Name, t.Vulnerability, t.Purl, t.Versions, t.Live)
	}
	var err error
	if done.PeakMemory > 0 {
		_, err = fmt.Fprintf(w, "Most memory: %d MB\n", done.PeakMemory>>20)
	}
	return err
}
