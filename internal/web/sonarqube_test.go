package web_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/web"
)

const (
	hookPath   = "/webhooks/sonarqube"
	hookHeader = "X-Sonar-Webhook-HMAC-SHA256"
	hookSecret = "the-secret-of-the-webhook"
)

func hmacOf(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestAWebhookIsKnownByItsHMAC(t *testing.T) {
	const body = `{"qualityGate":{}}`
	d, log := deps()
	var got []string
	d.SonarQube = &web.SonarQube{Secret: hookSecret, Collect: func(ctx context.Context, body []byte) (any, bool, error) {
		got = append(got, string(body))
		switch {
		case strings.HasPrefix(string(body), "known"):
			return map[string]string{"is": "known"}, false, nil
		case strings.HasPrefix(string(body), "nothing"):
			return nil, false, fault.New(fault.FailedPrecondition, "set a property")
		case strings.HasPrefix(string(body), "broken"):
			return nil, false, fault.At("revision", "want a text")
		case strings.HasPrefix(string(body), "outage"):
			return nil, false, errors.New("dial tcp 10.0.0.7:5432: refused")
		}
		return map[string]string{"is": "new"}, true, nil
	}}
	h := web.Handler(d)
	sent := func(name, body, hmac string) exchange {
		return exchange{method: http.MethodPost, path: hookPath, body: body, headers: map[string]string{name: hmac}}
	}
	large, largest := strings.Repeat("x", 1<<20+1), strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		x      exchange
		status int
		says   string
		taken  bool
	}{
		"none":                 {exchange{method: http.MethodPost, path: hookPath, body: body}, 401, "UNAUTHENTICATED", false},
		"an empty one":         {sent(hookHeader, body, ""), 401, "UNAUTHENTICATED", false},
		"that of another body": {sent(hookHeader, body, hmacOf(hookSecret, body+" ")), 401, "the secret that this server was started with", false},
		"that of another key":  {sent(hookHeader, body, hmacOf(hookSecret+"x", body)), 401, "UNAUTHENTICATED", false},
		"of an empty key":      {sent(hookHeader, body, hmacOf("", body)), 401, "UNAUTHENTICATED", false},
		"in capitals":          {sent(hookHeader, body, strings.ToUpper(hmacOf(hookSecret, body))), 401, "UNAUTHENTICATED", false},
		"cut short":            {sent(hookHeader, body, hmacOf(hookSecret, body)[:32]), 401, "UNAUTHENTICATED", false},
		"with a space":         {sent(hookHeader, body, hmacOf(hookSecret, body)+" x"), 401, "UNAUTHENTICATED", false},
		"a token instead":      {sent("Authorization", body, "Bearer "+goodToken), 401, "UNAUTHENTICATED", false},
		"the right one":        {sent(hookHeader, body, hmacOf(hookSecret, body)), 201, `{"is":"new"}`, true},
		"of what is known":     {sent(hookHeader, "known", hmacOf(hookSecret, "known")), 200, `{"is":"known"}`, true},
		"of nothing":           {sent(hookHeader, "nothing", hmacOf(hookSecret, "nothing")), 422, "set a property", true},
		"of what is broken":    {sent(hookHeader, "broken", hmacOf(hookSecret, "broken")), 400, `"path":"revision"`, true},
		"in an outage":         {sent(hookHeader, "outage", hmacOf(hookSecret, "outage")), 503, "try again", true},
		"of 1 MiB":             {sent(hookHeader, largest, hmacOf(hookSecret, largest)), 201, "new", true},
		"of more than 1 MiB":   {sent(hookHeader, large, hmacOf(hookSecret, large)), 413, "1 MiB", false},
		"another method":       {exchange{method: http.MethodGet, path: hookPath}, 405, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got = nil
			c.x.status, c.x.contains, c.x.lacks = c.status, []string{c.says}, []string{hookSecret, "10.0.0.7"}
			c.x.want = map[string]string{}
			if c.status != 405 {
				c.x.want["Cache-Control"] = "no-store"
			}
			c.x.run(t, h)
			if taken := len(got) == 1 && got[0] == c.x.body; taken != c.taken {
				t.Errorf("taken were %d, want %v", len(got), c.taken)
			}
		})
	}
	for _, secret := range []string{hookSecret, hmacOf(hookSecret, body), "qualityGate"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	d.SonarQube = nil
	without := sent(hookHeader, body, hmacOf("", body))
	without.status = http.StatusNotFound
	without.run(t, web.Handler(d))
}

func TestAWebhookHasOneHMAC(t *testing.T) {
	d, _ := deps()
	d.SonarQube = &web.SonarQube{Secret: hookSecret, Collect: func(context.Context, []byte) (any, bool, error) { return nil, true, nil }}
	r := httptest.NewRequest(http.MethodPost, hookPath, strings.NewReader("x"))
	r.Header.Add(hookHeader, hmacOf(hookSecret, "x"))
	r.Header.Add(hookHeader, hmacOf(hookSecret, "y"))
	w := httptest.NewRecorder()
	web.Handler(d).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}
