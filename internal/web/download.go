package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// File is bytes that somebody sent and that are given out again.
type File struct {
	Name, MediaType string
	// Digest is that of the bytes, "sha256:<hex>".
	Digest string
	Size   int64
	// Open gives the bytes; its reader fails when they are not those of the digest.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// downloadPolicy lets a browser do nothing with a file but keep it.
const downloadPolicy = "sandbox; default-src 'none'"

// download gives out a file. Whatever it is, no browser runs it: it comes as an attachment, in a sandbox, and under a media
// type that stands on a short list.
func download(deps Deps) http.Handler {
	return identified(deps, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, err := deps.Download(r.Context(), r.PathValue("id"), r.PathValue("attachment"))
		if known, ok := errors.AsType[*fault.Error](err); ok && known.Kind == fault.NotFound {
			writeError(w, r, http.StatusNotFound, string(fault.NotFound), "there is no such file")
			return
		}
		if err != nil {
			refuse(w, r, err, deps.Logger)
			return
		}
		tag := `"` + file.Digest + `"`
		h := w.Header()
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
		h.Set("Vary", "Authorization")
		h.Set("Content-Security-Policy", downloadPolicy)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if r.Method == http.MethodHead {
			describe(h, file)
			return
		}
		send(w, r, file, deps.Logger)
	}))
}

func describe(h http.Header, file File) {
	h.Set("Content-Type", harmless(file.MediaType))
	h.Set("Content-Disposition", disposition(file.Name))
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
}

// send streams the bytes. When they end early, or are not those that were kept, the connection is cut, so that nobody
// takes what came for the whole.
func send(w http.ResponseWriter, r *http.Request, file File, log *slog.Logger) {
	bytes, err := file.Open(r.Context())
	if err != nil {
		w.Header().Del("ETag")
		w.Header().Set("Cache-Control", "no-store")
		refuse(w, r, fmt.Errorf("open %s to download: %w", file.Digest, err), log)
		return
	}
	defer func() { _ = bytes.Close() }()
	describe(w.Header(), file)
	to := &pacedWriter{to: w, control: http.NewResponseController(w)}
	n, err := io.CopyBuffer(to, onlyReader{bytes}, make([]byte, 64<<10))
	if err == nil && n != file.Size {
		err = fmt.Errorf("%d bytes are there, %d were kept", n, file.Size)
	}
	if err == nil {
		return
	}
	if to.err == nil && r.Context().Err() == nil { // not the caller, who may go away
		log.ErrorContext(r.Context(), "a download was cut off", slog.String("request", RequestID(r.Context())),
			slog.String("digest", file.Digest), slog.Any("error", err))
	}
	panic(http.ErrAbortHandler)
}

// onlyReader hides the other ways of a reader to be read.
type onlyReader struct{ io.Reader }

// harmless gives the media type to send a file under: its own when browsers show it without running anything, plain text
// for other text, and mere bytes for all else.
func harmless(mediaType string) string {
	const plain, mere = "text/plain; charset=utf-8", "application/octet-stream"
	base, _, err := mime.ParseMediaType(mediaType)
	switch {
	case err != nil:
		return mere
	case slices.Contains([]string{
		"application/json", "application/pdf", "application/zip", "application/gzip", "application/x-tar", mere,
		"image/png", "image/jpeg", "image/gif", "image/webp",
	}, base), strings.HasPrefix(base, "application/") && strings.HasSuffix(base, "+json"):
		return base
	case strings.HasPrefix(base, "text/"), strings.HasSuffix(base, "xml"), strings.HasSuffix(base, "javascript"), strings.HasSuffix(base, "ecmascript"):
		return plain
	}
	return mere
}

// disposition names the file for saving (RFC 6266): in ASCII for old programs, and as it is.
func disposition(name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%' || c == '/' {
			return '_'
		}
		return c
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
