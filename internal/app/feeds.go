package app

import (
	"context"
	"log/slog"

	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// pulling gives what starts to pull the feeds that the operator named, as the installation itself. It starts nothing when
// there are none.
func pulling(cfg config.Config, of *vulnerability.Service, accesses *access.Service, log *slog.Logger) func(context.Context) (stop func(), err error) {
	if len(cfg.AdvisoryFeeds) == 0 {
		return func(context.Context) (func(), error) { return func() {}, nil }
	}
	feeds := make([]vulnerability.PulledFeed, len(cfg.AdvisoryFeeds))
	for i, f := range cfg.AdvisoryFeeds {
		feeds[i] = vulnerability.PulledFeed(f)
	}
	return func(ctx context.Context) (func(), error) {
		ctx, err := accesses.Installation(ctx)
		if err != nil {
			return nil, err
		}
		return vulnerability.NewPuller(of, feeds, cfg.AdvisoryInterval, log).Start(ctx), nil
	}
}
