// Package fetch gets a document from a URL that an operator named, within bounds. It knows nothing of what is in it. What its
// errors say may be shown to anybody: no user, no query, no word of a server's.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// MaxRedirects is how often a server may say that what is asked for is elsewhere.
	MaxRedirects = 5
	// MaxTime is how long an answer may take.
	MaxTime = time.Hour
	// maxTag is the longest name of a document, in bytes, that is remembered.
	maxTag = 500
)

// Error is why a document was not got, a sentence that may be shown to anybody.
type Error struct{ text string }

// Error is the sentence.
func (e *Error) Error() string { return e.text }

func failed(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Client gets documents.
type Client struct{ http *http.Client }

// New makes a client. It waits a quarter of a minute for a connection and a minute for an answer to begin, and asks through the
// proxy that the environment names.
func New() *Client {
	return &Client{&http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: time.Minute,
			// What is packed stays packed: the limit is on what is sent.
			DisableCompression: true, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: sentOn,
	}}
}

// sentOn follows a server's word that what is asked for is elsewhere.
func sentOn(to *http.Request, via []*http.Request) error {
	switch {
	case len(via) > MaxRedirects:
		return failed("the server sent the request on more than %d times", MaxRedirects)
	case to.URL.Scheme != "https" && to.URL.Scheme != "http":
		return failed("the server sent the request on to what is neither http nor https")
	case to.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https":
		return failed("the server sent the request on from https to http, which is not followed")
	}
	to.Header.Del("Referer") // it holds the query, which may be a secret
	return nil
}

// Close lets go of connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Remote tells whether a text is the URL of something that can be got.
func Remote(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

// Shown is a URL without what may be secret: the user, the query and the fragment.
func Shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Get writes what a URL holds, at most limit bytes. It returns by what the document is known: the server's name for it, or else
// its digest. When it is known by the same still, according to the server, nothing is written.
func (c *Client) Get(ctx context.Context, address, known string, limit int64, to io.Writer) (name string, err error) {
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", failed("the URL cannot be read")
	}
	ask.Header.Set("User-Agent", "plimsoll")
	asked := strings.HasSuffix(known, `"`) // or it is a digest of ours
	if asked {
		ask.Header.Set("If-None-Match", known)
	}
	answer, err := c.http.Do(ask)
	if err != nil {
		return "", unreachable(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it is only read
	switch {
	case answer.StatusCode == http.StatusNotModified && asked:
		return known, nil
	case answer.StatusCode != http.StatusOK:
		return "", failed("the server answered %s", strings.TrimSpace(fmt.Sprint(answer.StatusCode, " ", http.StatusText(answer.StatusCode))))
	case answer.ContentLength > limit:
		return "", failed("it is larger than %d bytes", limit)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return "", cutOff(err)
	case n > limit:
		return "", failed("it is larger than %d bytes", limit)
	}
	if tag := answer.Header.Get("ETag"); strings.HasSuffix(tag, `"`) && len(tag) <= maxTag {
		return tag, nil
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// unreachable says why there was no answer. What the library says holds the address, or what the server said.
func unreachable(err error) error {
	var ours *Error
	var named *net.DNSError
	var timeout interface{ Timeout() bool }
	var dial *net.OpError
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return failed("the server did not answer in time")
	case errors.As(err, &named):
		return failed("the name of the server cannot be resolved")
	case errors.As(err, &dial) && dial.Op == "dial":
		return failed("the server cannot be reached")
	case strings.Contains(err.Error(), "x509:"), strings.Contains(err.Error(), "tls:"):
		return failed("no secure connection to the server could be made: its certificate is not trusted, or it speaks another TLS")
	}
	return failed("the request failed, or the answer was no HTTP")
}

// cutOff says why an answer ended early. A failure to write it down is no fault of the server.
func cutOff(err error) error {
	var disk *os.PathError
	switch {
	case errors.As(err, &disk):
		return fmt.Errorf("write what was got: %w", err)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return failed("the answer took longer than %s", MaxTime)
	}
	return failed("the answer was cut off")
}
