package graph

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// internalCode is sent for failures that the caller can do nothing about.
const internalCode = "INTERNAL"

// present turns an error of a resolver into what the caller sees: an expected failure with its code, path and details, and
// anything else masked behind a reference under which it was logged.
func present(log *slog.Logger, reference func(context.Context) string) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		if expected, ok := errors.AsType[*fault.Error](err); ok {
			shown.Message = expected.Message
			shown.Extensions = map[string]any{"code": expected.Kind}
			maps.Copy(shown.Extensions, expected.Details)
			if path := cmp.Or(expected.Path, unreadAt(err)); path != "" {
				shown.Extensions["path"] = path
			}
			return shown
		}
		if known, ok := errors.AsType[*gqlerror.Error](err); ok && known.Err == nil {
			// The request itself was wrong, or a limit was met: gqlgen and the limits say so without internals.
			if shown.Extensions["code"] == nil {
				shown.Extensions = map[string]any{"code": fault.BadInput}
			}
			if place, ok := strings.CutPrefix(shown.Path.String(), "variable."); ok && shown.Extensions["path"] == nil {
				shown.Extensions["path"] = place
			}
			return shown
		}
		if ctx.Err() != nil {
			shown.Message = "the request was cancelled or took too long"
			shown.Extensions = map[string]any{"code": fault.ResourceExhausted}
			return shown
		}
		ref := reference(ctx)
		log.ErrorContext(ctx, "request failed", slog.String("reference", ref), slog.String("path", shown.Path.String()), slog.Any("error", err))
		return &gqlerror.Error{
			Message: "something went wrong here; quote the reference when you ask about it", Path: shown.Path,
			Extensions: map[string]any{"code": internalCode, "reference": ref},
		}
	}
}

// unreadAt is where in the arguments a value stands that could not be read: a scalar does not know, and gqlgen says.
func unreadAt(err error) string {
	at, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || len(at.Path) < 2 {
		return ""
	}
	_, place, _ := strings.Cut(at.Path.String(), ".") // the field comes first
	return place
}
