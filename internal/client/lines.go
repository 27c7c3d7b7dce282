package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// longestLine bounds a line of an answer, in bytes.
const longestLine = 1 << 20

// Lines reads an answer that is a stream of lines, however long, and hands over each of them without its end as it comes. A
// line that was cut off is not handed over. It fails as Ask does, when nothing comes for a while, and with the error of each.
func (c *Client) Lines(ctx context.Context, path string, each func(line []byte) error) error {
	return c.stream(ctx, path, func(ctx context.Context, response *http.Response, heard func()) error {
		lines := bufio.NewReaderSize(response.Body, longestLine)
		for {
			line, err := lines.ReadSlice('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return nil
			}
			if err != nil {
				return cut(ctx, fmt.Errorf("read answer: %w", err))
			}
			heard()
			if err := each(line[:len(line)-1]); err != nil {
				return err
			}
		}
	})
}

// stream hands over an answer that comes bit by bit, and ends it when nothing was heard of it for a while.
func (c *Client) stream(ctx context.Context, path string, read func(ctx context.Context, response *http.Response, heard func()) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(patience, func() { stop(errors.New("the server fell silent")) })
	defer silence.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	c.authorize(request)
	response, err := c.http.Do(request)
	if err != nil {
		return cut(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return refusal(response)
	}
	return read(ctx, response, func() { silence.Reset(patience) })
}

// cut is the failure of an answer that did not come, or not whole: unless the caller ended it, it may come the next time.
func cut(ctx context.Context, err error) *NoAnswerError {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return &NoAnswerError{Err: cause, temporary: !errors.Is(cause, context.DeadlineExceeded)}
	}
	return &NoAnswerError{Err: err, temporary: ctx.Err() == nil}
}

// refusal reads why there is no stream.
func refusal(response *http.Response) error {
	var answer struct {
		Errors []AnswerError `json:"errors"`
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err == nil && json.Unmarshal(body, &answer) == nil && len(answer.Errors) > 0 {
		return problem(answer.Errors, response.StatusCode)
	}
	return answered(response.StatusCode)
}
