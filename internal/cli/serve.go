package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
)

// serve runs the service until it is told to stop.
func serve(ctx context.Context, env environment, args []string) error {
	cfg, err := config.Load(args, env.getenv)
	if errors.Is(err, flag.ErrHelp) {
		return errors.Join(err, config.Usage(env.stdout))
	}
	if err != nil {
		return fmt.Errorf("%w:\n%w", errWrongCall, err)
	}
	a, err := app.New(ctx, cfg, logger(cfg, env.stderr), time.Now)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), a.Close())
	}
	welcome(env.stdout, "http://"+listener.Addr().String(), a.BootstrapToken)
	return errors.Join(a.Run(ctx, listener), a.Close())
}

func logger(cfg config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// welcome says where the service is and how to ask it something. The token is shown only when this start made it.
func welcome(w io.Writer, url, token string) {
	fmt.Fprintf(w, "Plimsoll serves %s\n  API explorer    %s/graphiql\n", url, url)
	shown := "$PLIMSOLL_TOKEN"
	if token != "" {
		fmt.Fprintf(w, "  Admin's token   %s\n                  (made on this first start and shown this once; keep it)\n", token)
		shown = token
	}
	fmt.Fprintf(w, "\nTry:\n  curl -s %s/graphql -H \"Authorization: Bearer %s\" -H 'Content-Type: application/json' \\\n"+
		"    -d '{\"query\":\"{ viewer { principal roles { role } } policyTemplates { edges { node { name title } } } }\"}'\n", url, shown)
}
