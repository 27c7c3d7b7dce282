package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
)

const logUsage = `Recomputes the log from its events and tiles, and names the first event that differs: plimsoll log verify [FLAGS]

It reads the database itself, beside a running server or without one, and the checkpoint that the server remembers in
DIR/log.checkpoint. It ends with 0 when everything is as the checkpoints say, and with 1 when something is not.
` + logFlags

const acceptUsage = `Goes on with the log in the database, although this server has seen another one: plimsoll log accept [FLAGS]

A server remembers the newest checkpoint that it saw in DIR/log.checkpoint, and does not start on a database whose log does not
go on from there: an older backup was put back, or somebody wrote the history anew. Accept that only when you know which, and that
the events are lost for good. Whoever holds a checkpoint of them will see that the log contradicts it: tell them.

The checkpoint that was remembered is kept as DIR/log.checkpoint.SIZE.
` + logFlags

const logFlags = `
  --data DIR         as for serve (PLIMSOLL_DATA)
  --database DSN     as for serve (PLIMSOLL_DATABASE)
  --log-key FILE     as for serve (PLIMSOLL_LOG_KEY)
  --log-origin NAME  as for serve (PLIMSOLL_LOG_ORIGIN)
`

// verifyLog compares the log with what was signed of it.
func verifyLog(ctx context.Context, env environment, args []string) error {
	cfg, err := logSettings(env, args, logUsage)
	if err != nil {
		return err
	}
	found, err := app.VerifyLog(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%d events and %d checkpoints compared, %d events not in the tree yet\n", found.Events, found.Checkpoints, found.Waiting)
	if found.Difference != nil {
		return fmt.Errorf("%w: %s", errChecks, found.Difference)
	}
	_, err = fmt.Fprintln(env.stdout, "Nothing was rewritten.")
	return err
}

// acceptLog goes on with the log that is in the database.
func acceptLog(ctx context.Context, env environment, args []string) error {
	cfg, err := logSettings(env, args, acceptUsage)
	if err != nil {
		return err
	}
	done, err := app.AcceptLog(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "This server has seen:\n\n%s\nThe database has:\n\n%s\n", shownCheckpoint(done.Before), shownCheckpoint(done.After))
	if done.Kept == "" {
		_, err = fmt.Fprintln(env.stdout, "The one goes on from the other: there is nothing to accept.")
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "Accepted. What this server had seen is kept in %s.\n", done.Kept)
	return err
}

func shownCheckpoint(note string) string {
	if note == "" {
		return "  no checkpoint\n"
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(note, "\n"), "\n", "\n  ") + "\n"
}

// logSettings reads the flags of a command on the log. It returns flag.ErrHelp after showing the usage.
func logSettings(env environment, args []string, usage string) (config.Config, error) {
	cfg, err := config.Load(args, env.getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, failed := io.WriteString(env.stdout, usage)
		return cfg, errors.Join(err, failed)
	}
	if err != nil {
		return cfg, fmt.Errorf("%w:\n%w", errWrongCall, err)
	}
	return cfg, nil
}
