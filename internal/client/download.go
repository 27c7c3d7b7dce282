package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// Download reads a file that the server gives to whoever may have it, however large, and tells what it calls it. It fails as
// Ask does, when nothing comes for a while, when the file does not come whole, and with the error of the writer.
func (c *Client) Download(ctx context.Context, path string, to io.Writer) (name string, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(patience, func() { stop(errors.New("the server fell silent")) })
	defer silence.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	c.authorize(request)
	response, err := c.http.Do(request)
	if err != nil {
		return "", cut(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return "", refusal(response)
	}
	if _, params, err := mime.ParseMediaType(response.Header.Get("Content-Disposition")); err == nil {
		name = params["filename"]
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := response.Body.Read(buffer)
		silence.Reset(patience)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return name, err
			}
		}
		if errors.Is(err, io.EOF) {
			return name, nil
		}
		if err != nil {
			return name, cut(ctx, fmt.Errorf("read answer: %w", err))
		}
	}
}
