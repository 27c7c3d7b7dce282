package app

import (
	"context"
	"log/slog"
	"mime/multipart"
	"net/http"

	"github.com/plimsoll/plimsoll/frontend"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/web"
)

// handler gives web what it passes requests on to.
func handler(api http.Handler, files *evidence.Service, accesses *access.Service, signer *attest.Signer, checks []web.Check, log *slog.Logger) http.Handler {
	dashboard, _ := frontend.Dist()
	return web.Handler(web.Deps{
		GraphQL: api, Authenticate: accesses.Authenticate, ReleaseKey: signer.PublicKeyPEM(), Dashboard: dashboard,
		Upload: func(ctx context.Context, parts *multipart.Reader) (any, bool, error) {
			receipt, err := files.Upload(ctx, parts)
			return receipt, err == nil && !receipt.AlreadyKnown, err
		},
		MaxUpload: evidence.MaxUpload,
		Download: func(ctx context.Context, evidenceID, attachmentID string) (web.File, error) {
			file, err := files.Download(ctx, evidenceID, attachmentID)
			return web.File(file), err
		},
		Checks: checks, Logger: log,
	})
}
