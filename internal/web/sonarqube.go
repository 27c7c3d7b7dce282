package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxHook is the size in bytes of the largest webhook that is taken.
const maxHook = 1 << 20

// SonarQube takes the webhooks of a SonarQube server.
type SonarQube struct {
	// Secret is what the server was told to sign its webhooks with.
	Secret string
	// Collect takes a body whose signature was checked, and returns the answer and whether it is about something new. A
	// fault.Error says why it is not taken; any other error is an outage and answered with 503.
	Collect func(ctx context.Context, body []byte) (answer any, created bool, err error)
}

// sonarQube passes on what has the right signature, and tells nothing to whoever has none. Without a secret there is no
// such path.
func sonarQube(deps Deps) http.Handler {
	if deps.SonarQube == nil {
		return http.NotFoundHandler()
	}
	return allow([]string{http.MethodPost}, noStore(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			writeError(w, r, http.StatusRequestEntityTooLarge, string(fault.ResourceExhausted), "the body is too large: at most 1 MiB is taken")
			return
		} else if err != nil {
			writeError(w, r, http.StatusBadRequest, string(fault.BadInput), "the body broke off")
			return
		}
		if !deps.SonarQube.signed(r.Header.Values("X-Sonar-Webhook-HMAC-SHA256"), body) {
			writeError(w, r, http.StatusUnauthorized, string(fault.Unauthenticated),
				"the header X-Sonar-Webhook-HMAC-SHA256 is not the HMAC of this body: give the webhook in SonarQube the secret that this server was started with")
			return
		}
		answer, created, err := deps.SonarQube.Collect(r.Context(), body)
		if err != nil {
			refuseAs(hookStatus, w, r, err, deps.Logger)
			return
		}
		status := http.StatusOK
		if created {
			status = http.StatusCreated
		}
		writeJSON(w, status, answer)
	})))
}

// signed compares the one header with the HMAC in lower-case hexadecimal digits, in a time that tells nothing.
func (s *SonarQube) signed(headers []string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	return len(headers) == 1 && hmac.Equal([]byte(headers[0]), []byte(want))
}

// hookStatus tells a body that cannot be read from one that nothing can be made of.
func hookStatus(kind fault.Kind) int {
	if kind == fault.FailedPrecondition {
		return http.StatusUnprocessableEntity
	}
	return statusOf(kind)
}
