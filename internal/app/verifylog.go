package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

// logMemory is the file in which a server remembers the newest checkpoint that it saw.
func logMemory(cfg config.Config) string { return filepath.Join(cfg.Data, "log.checkpoint") }

// VerifyLog recomputes the log of the installation that cfg describes. A server may run beside. It makes no key.
func VerifyLog(ctx context.Context, cfg config.Config) (found translog.Verified, err error) {
	err = withLog(ctx, cfg, func(tree *translog.Service) error {
		found, err = tree.Verify(ctx)
		return err
	})
	return found, err
}

// AcceptLog makes the server go on with the log in the database of the installation that cfg describes, although it has
// seen another one.
func AcceptLog(ctx context.Context, cfg config.Config) (done translog.Accepted, err error) {
	err = withLog(ctx, cfg, func(tree *translog.Service) error {
		done, err = tree.Accept(ctx)
		return err
	})
	return done, err
}

// withLog opens the log without a server, and closes it.
func withLog(ctx context.Context, cfg config.Config, do func(*translog.Service) error) (err error) {
	signer, err := tlog.LoadSigner(cfg.LogKey, cfg.LogOrigin)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, cfg.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(translog.New(s, activity.New(s, time.Now), signer, time.Now).WithMemory(logMemory(cfg)))
}
