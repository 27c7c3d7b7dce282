package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	// MaxGraphQLBody is the largest request to /graphql in bytes: a document of 32 MiB travels inside a JSON string, where
	// escapes about double it.
	MaxGraphQLBody = 64 << 20
	// MaxAnonymousBody is the largest request without a token. Such a request can read the schema and nothing else, and
	// must not be able to fill the memory.
	MaxAnonymousBody = 1 << 20
	// maxBearer is longer than any token that is given out.
	maxBearer = 8 << 10
)

// graphql finds out who is asking before it reads any of the body.
func graphql(deps Deps) http.Handler {
	return noStore(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, given, ok := bearer(r.Header.Values("Authorization"))
		limit := int64(MaxAnonymousBody)
		switch {
		case !ok:
			unauthenticated(w, r, "send exactly one header of the form Authorization: Bearer TOKEN")
			return
		case given:
			ctx, err := deps.Authenticate(r.Context(), token)
			if err != nil {
				refuseCaller(w, r, err, deps.Logger)
				return
			}
			r = r.WithContext(ctx)
			limit = MaxGraphQLBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		deps.GraphQL.ServeHTTP(w, r)
	}))
}

// bearer takes the token out of the Authorization headers (RFC 6750). Nothing given is fine; anything that is not one
// well-formed bearer token is not, for a caller who meant to say who they are must not go on as nobody.
func bearer(headers []string) (token string, given, ok bool) {
	if len(headers) == 0 {
		return "", false, true
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	token = strings.Trim(token, " ")
	if len(headers) > 1 || !found || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxBearer {
		return "", true, false
	}
	for _, c := range []byte(strings.TrimRight(token, "=")) {
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && strings.IndexByte("-._~+/", c) < 0 {
			return "", true, false
		}
	}
	return token, true, true
}

// refuseCaller tells a token that is not known from a store that cannot be asked. The cause is never sent: it might
// tell a guesser how near they came.
func refuseCaller(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	if known, ok := errors.AsType[*fault.Error](err); ok && known.Kind == fault.Unauthenticated {
		unauthenticated(w, r, "the token is not known, has expired or was revoked")
		return
	}
	if !errors.Is(err, context.Canceled) {
		log.ErrorContext(r.Context(), "cannot authenticate", slog.String("request", RequestID(r.Context())), slog.Any("error", err))
	}
	writeError(w, r, http.StatusServiceUnavailable, "INTERNAL", "cannot check who is asking; try again")
}

func unauthenticated(w http.ResponseWriter, r *http.Request, message string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="plimsoll", error="invalid_token"`)
	writeError(w, r, http.StatusUnauthorized, string(fault.Unauthenticated), message)
}

// writeError writes a GraphQL response without data, the shape that clients of the API can read.
func writeError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	mediaType := "application/json"
	if strings.Contains(r.Header.Get("Accept"), "application/graphql-response+json") {
		mediaType = "application/graphql-response+json"
	}
	extensions := map[string]string{"code": code}
	if code == "INTERNAL" {
		extensions["reference"] = RequestID(r.Context())
	}
	type graphQLError struct {
		Message    string            `json:"message"`
		Extensions map[string]string `json:"extensions"`
	}
	body, err := json.Marshal(map[string]any{"errors": []graphQLError{{message, extensions}}})
	if err != nil {
		panic(err) // strings alone: cannot fail
	}
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
