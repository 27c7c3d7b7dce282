package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// Download reads a file that the server gives to whoever may have it, however large, and tells what it calls it. It fails as
// Ask does, when nothing comes for a while, when the file does not come whole, and with the error of the writer.
func (c *Client) Download(ctx context.Context, path string, to io.Writer) (name string, err error) {
	err = c.stream(ctx, path, func(ctx context.Context, response *http.Response, heard func()) error {
		if _, params, err := mime.ParseMediaType(response.Header.Get("Content-Disposition")); err == nil {
			name = params["filename"]
		}
		buffer := make([]byte, 64<<10)
		for {
			n, err := response.Body.Read(buffer)
			heard()
			if n > 0 {
				if _, err := to.Write(buffer[:n]); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return cut(ctx, fmt.Errorf("read answer: %w", err))
			}
		}
	})
	return name, err
}
