package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

// VerifyLog recomputes the log of the installation that cfg describes. A server may run beside. It makes no key.
func VerifyLog(ctx context.Context, cfg config.Config) (found translog.Verified, err error) {
	signer, err := tlog.LoadSigner(cfg.LogKey, cfg.LogOrigin)
	if err != nil {
		return found, err
	}
	s, err := store.Open(ctx, cfg.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return found, fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return translog.New(s, activity.New(s, time.Now), signer, time.Now).Verify(ctx)
}
