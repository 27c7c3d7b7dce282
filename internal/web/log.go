package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Log is a transparency log as C2SP tlog-tiles serves it. What it does not have is a fault.Error of kind NOT_FOUND.
type Log struct {
	// Keys verify the checkpoints, as signed notes write keys: one a line, the newest first.
	Keys string
	// Checkpoint returns the newest checkpoint.
	Checkpoint func(ctx context.Context) ([]byte, error)
	// Tile returns the hashes of a tile by its path. They never change.
	Tile func(ctx context.Context, path string) ([]byte, error)
	// Entries returns a bundle of leaves by its path, for whoever may read it. It never changes.
	Entries func(ctx context.Context, path string) ([]byte, error)
}

const (
	plainText = "text/plain; charset=utf-8"
	mereBytes = "application/octet-stream"
	forEver   = "max-age=31536000, immutable"
)

func logKeys(keys string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", plainText)
		w.Header().Set("Cache-Control", "no-cache")
		serve(w, r, []byte(keys+"\n"))
	})
}

func checkpoint(deps Deps) http.Handler {
	return ofLog(deps, func(r *http.Request) ([]byte, error) { return deps.Log.Checkpoint(r.Context()) }, plainText, "no-cache")
}

func tile(deps Deps) http.Handler {
	return ofLog(deps, func(r *http.Request) ([]byte, error) { return deps.Log.Tile(r.Context(), r.PathValue("path")) }, mereBytes, "public, "+forEver)
}

// entries asks who reads: leaves tell what happened.
func entries(deps Deps) http.Handler {
	bundle := func(r *http.Request) ([]byte, error) { return deps.Log.Entries(r.Context(), r.PathValue("path")) }
	return identified(deps, ofLog(deps, bundle, mereBytes, "private, "+forEver))
}

// ofLog answers with what get returns. Refusals are kept by nobody: what is not there may be there soon.
func ofLog(deps Deps, get func(*http.Request) ([]byte, error), mediaType, cache string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := get(r)
		if err != nil {
			w.Header().Set("Cache-Control", "no-store")
			if known, ok := errors.AsType[*fault.Error](err); ok && known.Kind == fault.NotFound {
				writeError(w, r, http.StatusNotFound, string(fault.NotFound), known.Message)
				return
			}
			refuse(w, r, err, deps.Logger)
			return
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", cache)
		serve(w, r, body)
	})
}
