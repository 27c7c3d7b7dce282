package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
)

const logUsage = `Recomputes the log from its events and tiles, and names the first event that differs: plimsoll log verify [FLAGS]

It reads the database itself, beside a running server or without one. It ends with 0 when everything is as the checkpoints
say, and with 1 when something is not.

  --data DIR         as for serve (PLIMSOLL_DATA)
  --database DSN     as for serve (PLIMSOLL_DATABASE)
  --log-key FILE     as for serve (PLIMSOLL_LOG_KEY)
  --log-origin NAME  as for serve (PLIMSOLL_LOG_ORIGIN)
`

// verifyLog compares the log with what was signed of it.
func verifyLog(ctx context.Context, env environment, args []string) error {
	cfg, err := config.Load(args, env.getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, failed := io.WriteString(env.stdout, logUsage)
		return errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("%w:\n%w", errWrongCall, err)
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
