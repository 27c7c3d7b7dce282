package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// NoAnswerError means that there is no answer: nobody could be reached, or what came back was not one.
type NoAnswerError struct {
	// Err says what went wrong. It holds no token.
	Err       error
	temporary bool
}

// Error implements the error interface.
func (f *NoAnswerError) Error() string { return f.Err.Error() }

// Unwrap gives what went wrong.
func (f *NoAnswerError) Unwrap() error { return f.Err }

// answered is the failure of an answer that is none of the API's.
func answered(status int) *NoAnswerError {
	return &NoAnswerError{Err: fmt.Errorf("the server answered %d %s", status, http.StatusText(status)), temporary: mayPass(status)}
}

// mayPass tells whether the same request may succeed a moment later.
func mayPass(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// AnswerError is one error in an answer of the API.
type AnswerError struct {
	// Code is the kind of failure (docs/api.md); Path the field that it is about, empty for none; Message a sentence.
	Code, Path, Message string
	temporary           bool
}

// UnmarshalJSON reads an entry of "errors".
func (p *AnswerError) UnmarshalJSON(b []byte) error {
	var wire struct {
		Message    string `json:"message"`
		Extensions struct {
			Code string `json:"code"`
			Path string `json:"path"`
		} `json:"extensions"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*p = AnswerError{Code: wire.Extensions.Code, Path: wire.Extensions.Path, Message: wire.Message}
	return nil
}

// Error implements the error interface.
func (p *AnswerError) Error() string {
	text := p.Message
	if p.Path != "" {
		text = p.Path + ": " + text
	}
	if p.Code != "" {
		text = p.Code + ": " + text
	}
	return text
}

// Refused tells whether the caller can do something about it. Otherwise the server failed, or does not fit this client.
func (p *AnswerError) Refused() bool {
	return slices.Contains([]string{
		"BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED",
	}, p.Code)
}

// problem makes the error of an answer with errors.
func problem(list []AnswerError, status int) *AnswerError {
	first := list[0]
	// 413 says that the request is too large, which it stays.
	first.temporary = mayPass(status) || first.Code == "RESOURCE_EXHAUSTED" && status != http.StatusRequestEntityTooLarge
	return &first
}

// temporary tells whether the same request may succeed a moment later.
func temporary(err error) bool {
	if f, ok := errors.AsType[*NoAnswerError](err); ok {
		return f.temporary
	}
	p, ok := errors.AsType[*AnswerError](err)
	return ok && p.temporary
}
