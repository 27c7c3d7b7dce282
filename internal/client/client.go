// Package client sends requests to a Plimsoll server as any other program does: operations of the public API and uploads,
// over HTTP, with a bearer token. The token stands in one header of a request and nowhere else: not in errors, not in URLs.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 20
	// patience is how long one operation may take: a server on a small machine, under load, has time enough.
	patience = 60 * time.Second
	// uploadPatience is how long one upload may take.
	uploadPatience = time.Hour
)

// Client sends requests to one server. It is safe for use by several goroutines.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// New returns a client of the server at an address such as https://plimsoll.example.org, and fails with a sentence on what
// is no such address. One with a user or a password in it is refused, because addresses end up in logs.
func New(address, token string) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the address of the server must be like https://plimsoll.example.org")
	case u.User != nil:
		return nil, errors.New("the address of the server must not carry a user or a password: the token says who asks")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the address of the server must end before any ? or #")
	}
	// A redirected POST would arrive without its body, or at a server that the token is not for.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		http: &http.Client{CheckRedirect: stay}, base: strings.TrimRight(u.String(), "/"), token: strings.TrimSpace(token),
	}, nil
}

// With returns a client of the same server for the holder of another token.
func (c *Client) With(token string) *Client {
	other := *c
	other.token = strings.TrimSpace(token)
	return &other
}

// Get reads a file that the server gives to everybody, such as /keys/release.pub.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	b, status, err := c.do(request)
	if err == nil && status != http.StatusOK {
		err = answered(status)
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	return b, nil
}

// do sends a request and reads the answer, whatever its status.
func (c *Client) do(request *http.Request) (body []byte, status int, err error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, &NoAnswerError{Err: err, temporary: request.Context().Err() == nil}
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, 0, &NoAnswerError{Err: fmt.Errorf("read answer: %w", err), temporary: request.Context().Err() == nil}
	}
	return body, response.StatusCode, nil
}

func (c *Client) authorize(request *http.Request) {
	request.Header.Set("Authorization", "Bearer "+c.token)
}
