package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// upload takes multipart/form-data from somebody who says who they are, and reads none of it before that is known.
func upload(deps Deps) http.Handler {
	return identified(deps, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mediaType != "multipart/form-data" || params["boundary"] == "" {
			writeError(w, r, http.StatusUnsupportedMediaType, string(fault.BadInput), "send multipart/form-data with a boundary: the parts metadata, content, and any attachments")
			return
		}
		control := http.NewResponseController(w)
		body := &pacedReader{from: r.Body, control: control, left: deps.MaxUpload}
		answer, created, err := deps.Upload(r.Context(), multipart.NewReader(body, params["boundary"]))
		_ = control.SetWriteDeadline(after(answerTimeout)) // the upload may have taken longer
		if err != nil {
			refuse(w, r, err, deps.Logger)
			return
		}
		status := http.StatusOK
		if created {
			status = http.StatusCreated
		}
		writeJSON(w, status, answer)
	}))
}

// identified passes on requests with a valid token alone.
func identified(deps Deps, next http.Handler) http.Handler {
	return noStore(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, given, ok := bearer(r.Header.Values("Authorization"))
		if !ok || !given {
			unauthenticated(w, r, "send exactly one header of the form Authorization: Bearer TOKEN")
			return
		}
		ctx, err := deps.Authenticate(r.Context(), token)
		if err != nil {
			refuseCaller(w, r, err, deps.Logger)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	}))
}

// refuse answers with an expected failure as the API would, and masks any other, which is logged: then nothing was kept and
// it may be tried again.
func refuse(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	refuseAs(statusOf, w, r, err, log)
}

// refuseAs is refuse with other statuses for the kinds of failure.
func refuseAs(status func(fault.Kind) int, w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	known, ok := errors.AsType[*fault.Error](err)
	if !ok {
		if !errors.Is(err, context.Canceled) {
			log.ErrorContext(r.Context(), "request failed", slog.String("request", RequestID(r.Context())), slog.Any("error", err))
		}
		writeError(w, r, http.StatusServiceUnavailable, "INTERNAL", "something went wrong here; it has been logged: try again")
		return
	}
	extensions := map[string]any{"code": known.Kind}
	maps.Copy(extensions, known.Details)
	if known.Path != "" {
		extensions["path"] = known.Path
	}
	type shown struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	}
	writeJSON(w, status(known.Kind), map[string]any{"errors": []shown{{known.Message, extensions}}})
}

func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict, fault.FailedPrecondition:
		return http.StatusConflict
	case fault.ResourceExhausted:
		return http.StatusRequestEntityTooLarge
	default:
		return http.StatusBadRequest
	}
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // texts, numbers and truth values: cannot fail
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
