package app

import (
	"context"
	"log/slog"
	"mime/multipart"
	"net/http"

	"github.com/plimsoll/plimsoll/frontend"
	"github.com/plimsoll/plimsoll/graph"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/web"
)

// handler gives web what it passes requests on to.
func handler(api http.Handler, services graph.Services, signer *attest.Signer, sonar *web.SonarQube, checks []web.Check, log *slog.Logger) http.Handler {
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
		Log:       &web.Log{Key: tree.Key(), Checkpoint: tree.Checkpoint, Tile: tree.Tile, Entries: tree.Entries},
		SonarQube: sonar, Checks: checks, Logger: log,
	})
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
