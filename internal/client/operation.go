package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Operation is a GraphQL operation to send.
type Operation struct {
	// Name names the operation of Document; Variables are anything that marshals to a JSON object.
	Name, Document string
	Variables      any
}

// Answer is what came back. Raw is the body as it came.
type Answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []AnswerError   `json:"errors"`
	Raw    []byte          `json:"-"`
	status int
}

// Send sends an operation once. It fails when there is no GraphQL answer (a NoAnswerError); errors inside one are part of it.
func (c *Client) Send(ctx context.Context, op Operation) (Answer, error) {
	body, err := marshal(map[string]any{"query": op.Document, "operationName": op.Name, "variables": op.Variables})
	if err != nil {
		return Answer{}, fmt.Errorf("write request: %w", err)
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	c.authorize(request)
	var a Answer
	if a.Raw, a.status, err = c.do(request); err != nil {
		return a, err
	}
	// A refused request is answered with 4xx and the reason in the body; it is read like any other.
	err = json.Unmarshal(a.Raw, &a)
	if err == nil && a.Data == nil && len(a.Errors) == 0 {
		err = errors.New("it has neither data nor errors")
	}
	switch {
	case err == nil:
		return a, nil
	case a.status != http.StatusOK:
		return a, answered(a.status)
	}
	return a, &NoAnswerError{Err: fmt.Errorf("the answer is not GraphQL: is this the address of a Plimsoll server? %w", err)}
}

// Ask sends an operation once and reads its data. It fails with a NoAnswerError when there is no answer, and with the first
// AnswerError of one that has errors.
func (c *Client) Ask(ctx context.Context, op Operation, into any) error {
	a, err := c.Send(ctx, op)
	if err != nil {
		return err
	}
	if len(a.Errors) > 0 {
		return problem(a.Errors, a.status)
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return &NoAnswerError{Err: fmt.Errorf("read answer: %w", err)}
	}
	return nil
}

// marshal is json.Marshal without the escapes that are for HTML: they would make XML three times as long.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
