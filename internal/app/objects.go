package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/objects"
)

// openObjects opens the object store: the one that the operator named, or the one in the data directory.
func openObjects(ctx context.Context, cfg config.Config) (*objects.Store, error) {
	address := cfg.Objects
	if address == "" {
		var err error
		if address, err = config.ObjectsIn(cfg.Data); err != nil {
			return nil, err
		}
	}
	files, err := objects.Open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the object store: %w", err)
	}
	return files, nil
}

// sweeping starts to sweep the object store, and gives what ends it.
func sweeping(ctx context.Context, of *evidence.Service, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sweep(ctx, of, log)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// sweep removes what unfinished uploads left in the object store, now and once a day, until ctx is done.
func sweep(ctx context.Context, of *evidence.Service, log *slog.Logger) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		removed, err := of.SweepObjects(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.WarnContext(ctx, "the object store was not swept; it is tried again in a day", slog.Any("error", err))
		case removed > 0:
			log.InfoContext(ctx, "what unfinished uploads left was removed", slog.Int("objects", removed))
		}
		select {
		case <-ctx.Done():
			return
		case <-day.C:
		}
	}
}
