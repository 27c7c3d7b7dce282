package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Passport is one that can be sent.
type Passport struct {
	// Name is what to call the file.
	Name string
	// Write writes it, once. After a failure what was written is no passport.
	Write func(ctx context.Context, to io.Writer) error
	// Close is called when it is sent, or was not.
	Close func()
}

// maxLeftOut is how many digests a URL names at most.
const maxLeftOut = 100

// passport sends a passport.
func passport(deps Deps) http.Handler {
	return identified(deps, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaveOut := r.URL.Query()["leaveOut"]
		if len(leaveOut) > maxLeftOut {
			refuse(w, r, fault.At("leaveOut", "at most %d digests", maxLeftOut), deps.Logger)
			return
		}
		p, err := deps.Passport(r.Context(), r.PathValue("digest"), leaveOut)
		if err != nil {
			refuseAs(passportStatus, w, r, err, deps.Logger)
			return
		}
		defer p.Close()
		h := w.Header()
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", disposition(p.Name))
		h.Set("Content-Security-Policy", downloadPolicy)
		stream(w, r, "passport", p.Write, deps.Logger)
	}))
}

// stream sends what is written as it is made. When that fails after the first byte the connection is cut, so that nobody takes
// what came for the whole.
func stream(w http.ResponseWriter, r *http.Request, what string, write func(context.Context, io.Writer) error, log *slog.Logger) {
	if r.Method == http.MethodHead {
		return
	}
	to := &pacedWriter{to: w, control: http.NewResponseController(w)}
	err := write(r.Context(), to)
	if err == nil {
		return
	}
	if to.err == nil && r.Context().Err() == nil { // not the caller, who may go away
		log.ErrorContext(r.Context(), "an answer was cut off", slog.String("what", what), slog.String("request", RequestID(r.Context())), slog.Any("error", err))
	}
	panic(http.ErrAbortHandler)
}

// passportStatus is the status for a refusal: what is too much at once is not so a moment later.
func passportStatus(kind fault.Kind) int {
	if kind == fault.ResourceExhausted {
		return http.StatusServiceUnavailable
	}
	return statusOf(kind)
}
