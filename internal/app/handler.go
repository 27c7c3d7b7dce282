package app

import (
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"

	"github.com/plimsoll/plimsoll/frontend"
	"github.com/plimsoll/plimsoll/graph"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/issuance"
	"github.com/plimsoll/plimsoll/internal/web"
)

// handler gives web what it passes requests on to.
func handler(api http.Handler, services graph.Services, signer *attest.Signer, sonar *web.SonarQube, issuing *issuance.Service, checks []web.Check, log *slog.Logger) http.Handler {
	dashboard, _ := frontend.Dist()
	files, tree := services.Evidence, services.Tree
	return web.Handler(web.Deps{
		GraphQL: api, Authenticate: services.Access.Authenticate, ReleaseKey: signer.PublicKeyPEM(), Dashboard: dashboard,
		Upload: func(ctx context.Context, parts *multipart.Reader) (any, bool, error) {
			receipt, err := files.Upload(ctx, parts)
			return receipt, err == nil && !receipt.AlreadyKnown, err
		},
		MaxUpload: evidence.MaxUpload,
		Download: func(ctx context.Context, evidenceID, attachmentID string) (web.File, error) {
			file, err := files.Download(ctx, evidenceID, attachmentID)
			return web.File(file), err
		},
		Log:       &web.Log{Keys: tree.Keys(), Checkpoint: tree.Checkpoint, Tile: tree.Tile, Entries: tree.Entries},
		Export:    exporting(services.Exports),
		Passport:  passports(issuing),
		SonarQube: sonar, Checks: checks, Logger: log,
	})
}

// passports gathers passports to be sent.
func passports(issuing *issuance.Service) func(context.Context, string, []string) (web.Passport, error) {
	return func(ctx context.Context, digest string, leaveOut []string) (web.Passport, error) {
		p, err := issuing.Issue(ctx, digest, leaveOut)
		if err != nil {
			return web.Passport{}, err
		}
		return web.Passport{Name: p.Name, Write: p.Write, Close: p.Close}, nil
	}
}

// exporting opens exports of the log, from its beginning and as lines of JSON when nobody says otherwise.
func exporting(exports *export.Service) func(context.Context, web.Export) (func(context.Context, io.Writer) error, error) {
	return func(ctx context.Context, what web.Export) (func(context.Context, io.Writer) error, error) {
		in := export.Input{Limit: export.DefaultLimit, Format: export.JSONL}
		if what.From != nil {
			in.From = *what.From
		}
		if what.Limit != nil {
			in.Limit = *what.Limit
		}
		if what.Format != nil {
			in.Format = export.Format(*what.Format)
		}
		run, err := exports.Open(ctx, in)
		if err != nil {
			return nil, err
		}
		return run.Write, nil
	}
}

// sonarQube takes webhooks as the installation itself; nil without a secret to know them by.
func sonarQube(secret string, files *evidence.Service, accesses *access.Service) *web.SonarQube {
	if secret == "" {
		return nil
	}
	return &web.SonarQube{Secret: secret, Collect: func(ctx context.Context, body []byte) (any, bool, error) {
		ctx, err := accesses.Installation(ctx)
		if err != nil {
			return nil, false, err
		}
		kept, again, err := files.CollectSonarQube(ctx, body)
		if err != nil {
			return nil, false, err
		}
		return map[string]any{"digest": kept.Digest, "alreadyKnown": again}, !again, nil
	}}
}
