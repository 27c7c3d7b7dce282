package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 20
	// patience is how long one request may take: a server on a small machine, under load, has time enough.
	patience = 60 * time.Second
)

// client sends operations to a server as any other program would: GraphQL over HTTP, with a bearer token.
type client struct {
	http      *http.Client
	url       string
	documents documents
}

// answer is what came back. Raw is the body as it came.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []apiError      `json:"errors"`
	raw    []byte
}

// apiError is one entry of "errors".
type apiError struct {
	Message    string `json:"message"`
	Extensions struct {
		Code string `json:"code"`
		Path string `json:"path"`
	} `json:"extensions"`
}

// send sends the operation of that name. It fails when there is no GraphQL answer; errors inside one are part of it.
func (c *client) send(ctx context.Context, token, operation string, variables object) (answer, error) {
	document, ok := c.documents[operation]
	if !ok {
		return answer{}, fmt.Errorf("there is no operation %s", operation)
	}
	body, err := json.Marshal(object{
		{"query", document}, {"operationName", operation}, {"variables", variables},
	})
	if err != nil {
		return answer{}, fmt.Errorf("write request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	request.Header.Set("Authorization", "Bearer "+token)
	var a answer
	if a.raw, err = c.do(request); err != nil {
		return a, err
	}
	if err := json.Unmarshal(a.raw, &a); err != nil {
		return a, fmt.Errorf("the answer is not GraphQL: %w", err)
	}
	if a.Data == nil && len(a.Errors) == 0 {
		return a, errors.New("the answer is not GraphQL: it has neither data nor errors")
	}
	return a, nil
}

// get reads a file that the server serves to everybody.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	b, err := c.do(request)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	return b, nil
}

func (c *client) do(request *http.Request) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	// A refused GraphQL request is answered with 4xx and the reason in the body; it is read like any other.
	if response.StatusCode != http.StatusOK && !json.Valid(b) {
		return b, fmt.Errorf("answered %s", response.Status)
	}
	if response.StatusCode != http.StatusOK && request.Method == http.MethodGet {
		return b, fmt.Errorf("answered %s", response.Status)
	}
	return b, nil
}
