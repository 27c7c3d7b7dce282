// Package app puts the house together: it opens the store, makes every service, and hands requests to them. The tests
// start the same App as the command line.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/graph"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/issuance"
	"github.com/plimsoll/plimsoll/internal/objects"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
	"github.com/plimsoll/plimsoll/internal/waiver"
	"github.com/plimsoll/plimsoll/internal/web"
)

// Program is the version of Plimsoll, as it stands in what it signs.
const Program = "0.1.0"

// App is the whole service, ready to answer.
type App struct {
	store    *store.Store
	objects  *objects.Store
	services graph.Services
	handler  http.Handler
	log      *slog.Logger
	// stopSweeping ends the sweeping of the object store, and waits for it.
	stopSweeping func()
	// stopExpiring ends the looking for waivers that expired, and waits for it.
	stopExpiring func()
	// stopIntegrating ends the putting of events in the log's tree, and waits for it.
	stopIntegrating func()
	// startPulling starts to pull feeds of advisories, and gives what ends that.
	startPulling func(context.Context) (stop func(), err error)
	// BootstrapToken is the organisation admin's token, when this start made one: it is shown once.
	BootstrapToken string
}

// New opens the database and the release key that cfg names, brings both up to date, and puts the services together.
// Clock tells the time.
func New(ctx context.Context, cfg config.Config, log *slog.Logger, clock func() time.Time) (_ *App, err error) {
	// As precise as both databases keep instants, so that what was signed and what is read back are the same.
	now := func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	warnOfToken(ctx, cfg, log)
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	signer, logSigner, err := keys(cfg, log)
	if err != nil {
		return nil, err
	}
	files, err := openObjects(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, files.Close())
		}
	}()
	s, err := store.Open(ctx, cfg.Database, log)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	events := activity.New(s, now)
	tree, err := openTree(ctx, cfg, translog.New(s, events, logSigner, now))
	if err != nil {
		return nil, err
	}
	accesses := access.New(s, events, now)
	made, err := accesses.Bootstrap(ctx, cfg.BootstrapToken)
	if err != nil {
		return nil, fmt.Errorf("make the first token: %w", err)
	}
	if ctx, err = accesses.Installation(ctx); err != nil {
		return nil, err
	}
	services, err := assemble(ctx, s, files, events, accesses, signer, cfg.VerifierID, now)
	if err != nil {
		return nil, err
	}
	services.Tree, services.Exports = tree, export.New(s, tree, Program)
	api, err := graph.NewHandler(services, log, web.RequestID)
	if err != nil {
		return nil, err
	}
	handler := handler(api, services, signer, sonarQube(cfg.SonarQubeSecret, services.Evidence, accesses),
		issuance.New(s, services.Versions, services.Gates, services.Evidence, tree, cfg.VerifierID, now), checks(s, files, signer, tree), log)
	return &App{
		store: s, objects: files, services: services, handler: handler, log: log, BootstrapToken: made,
		stopSweeping: sweeping(ctx, services.Evidence, log), stopExpiring: beside(ctx, func(ctx context.Context) { services.Waivers.Run(ctx, log) }),
		stopIntegrating: beside(ctx, func(ctx context.Context) { services.Tree.Run(ctx, log) }),
		startPulling:    pulling(cfg, services.Vulnerabilities, accesses, log),
	}, nil
}

// warnOfToken tells the operator of a bootstrap token that somebody may guess.
func warnOfToken(ctx context.Context, cfg config.Config, log *slog.Logger) {
	if n := len(cfg.BootstrapToken); n > 0 && n < config.SafeTokenLength {
		log.WarnContext(ctx, "the bootstrap token is short enough to be guessed", slog.Int("characters", n), slog.Int("safe", config.SafeTokenLength))
	}
}

// openTree looks, before anything is written, whether the database is the one that this server knows.
func openTree(ctx context.Context, cfg config.Config, tree *translog.Service) (*translog.Service, error) {
	tree, err := withWitnesses(cfg, tree.WithMemory(logMemory(cfg)))
	if err != nil {
		return nil, err
	}
	return tree, tree.CheckMemory(ctx)
}

// checks are what must work for the service to be ready.
func checks(s *store.Store, files *objects.Store, signer *attest.Signer, tree *translog.Service) []web.Check {
	return []web.Check{
		{Name: "database", Ready: s.Ready},
		{Name: "objects", Ready: files.Ready},
		{Name: "signer", Ready: func(context.Context) error { return signer.Check() }},
		{Name: "log", Ready: tree.Ready},
	}
}

// keys loads what this installation signs with: statements, and the log's checkpoints.
func keys(cfg config.Config, log *slog.Logger) (*attest.Signer, *tlog.Signer, error) {
	statements, err := releaseKey(cfg, log)
	if err != nil {
		return nil, nil, err
	}
	checkpoints, err := logKey(cfg, log)
	return statements, checkpoints, err
}

// assemble makes the domain services in the order in which they build on each other.
func assemble(ctx context.Context, s *store.Store, files *objects.Store, events *activity.Log, accesses *access.Service, signer *attest.Signer, verifierID string, now func() time.Time) (graph.Services, error) {
	signs, err := signing.New(ctx, s, events, signer, now)
	if err != nil {
		return graph.Services{}, err
	}
	r := graph.Services{
		Nodes:  s.Read(),
		Access: accesses, Activity: events, Signing: signs,
		Catalog:  catalog.New(s, events, now),
		Policies: policy.New(s, events, now),
	}
	r.Builds = build.New(s, events, now)
	r.Vulnerabilities, r.Blasts, r.Deployments = vulnerability.New(s, events, signs, now), blast.New(s, now), deployment.New(s, events, now)
	r.Waivers, r.Freezes, r.Approvals = waiver.New(s, events, r.Blasts, now), freeze.New(s, events, now), approval.New(s, events, signs, now)
	r.Versions = version.New(s, r.Catalog, events, signs, now)
	r.Evidence = evidence.New(s, events, now, Program).WithObjects(files, evidence.DefaultLimits())
	r.Evidence = r.Evidence.WithMatcher(evidence.Matcher{
		Begin: r.Vulnerabilities.Begin, Key: vulnerability.KeyOf, Match: r.Vulnerabilities.MatchNew, Said: r.Vulnerabilities.Said,
		Hold: r.Vulnerabilities.Hold,
	})
	if r.Evidence, err = r.Evidence.WithCollector(signs); err != nil {
		return graph.Services{}, err
	}
	r.Gates = gate.New(s, gate.Sources{
		Evidence: r.Evidence, Policies: r.Policies, Vulnerabilities: r.Vulnerabilities, Waivers: r.Waivers, Freezes: r.Freezes, Approvals: r.Approvals,
	}, now)
	r.Releases = release.New(s, events, r.Gates, signs, attest.Verifier{ID: verifierID, Version: map[string]string{"plimsoll": Program}}, now)
	if err := accesses.FinishErasures(ctx); err != nil {
		return graph.Services{}, err
	}
	if err := r.Catalog.IndexWords(ctx); err != nil {
		return graph.Services{}, err
	}
	if err := r.Vulnerabilities.IndexComponents(ctx); err != nil {
		return graph.Services{}, err
	}
	if err := r.Policies.InstallBuiltin(ctx); err != nil {
		return graph.Services{}, fmt.Errorf("install the templates: %w", err)
	}
	return r, nil
}

// releaseKey loads the key to sign with. One that the operator named must be there; the one in the data directory is made
// at the first start.
func releaseKey(cfg config.Config, log *slog.Logger) (*attest.Signer, error) {
	if cfg.ReleaseKey != filepath.Join(cfg.Data, "release.key") {
		return attest.LoadSigner(cfg.ReleaseKey)
	}
	signer, created, err := attest.LoadOrCreateSigner(cfg.ReleaseKey)
	if err != nil {
		return nil, fmt.Errorf("release key: %w", err)
	}
	if created {
		log.Info("release key made", slog.String("path", cfg.ReleaseKey), slog.String("fingerprint", signer.Fingerprint()))
	}
	return signer, nil
}

// logKey loads the key that signs the log's checkpoints, as releaseKey does.
func logKey(cfg config.Config, log *slog.Logger) (*tlog.Signer, error) {
	if cfg.LogKey != filepath.Join(cfg.Data, "log.key") {
		return tlog.LoadSigner(cfg.LogKey, cfg.LogOrigin)
	}
	signer, created, err := tlog.LoadOrCreateSigner(cfg.LogKey, cfg.LogOrigin)
	if err == nil && created {
		log.Info("log key made", slog.String("path", cfg.LogKey), slog.String("verifier", signer.Keys()[0]))
	}
	return signer, err
}

// beside runs something beside the requests until it is stopped. Stop waits for what is under way.
func beside(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// Services are what requests are answered with, for commands that work beside the API.
func (a *App) Services() graph.Services { return a.services }

// Handler answers requests.
func (a *App) Handler() http.Handler { return a.handler }

// Run answers requests on the listener, and pulls feeds, until ctx is done, and then finishes what runs.
func (a *App) Run(ctx context.Context, listener net.Listener) error {
	stopPulling, err := a.startPulling(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopPulling()
	return web.Serve(ctx, listener, a.handler, a.log)
}

// Close ends the app. What was acknowledged is durable with or without it.
func (a *App) Close() error {
	a.stopSweeping()
	a.stopExpiring()
	a.stopIntegrating()
	return errors.Join(a.objects.Close(), a.store.Close())
}
