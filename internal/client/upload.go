package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// Evidence is a piece of evidence to send, as SubmitEvidenceInput has it: something signed or a document.
type Evidence struct {
	Envelope string    `json:"envelope,omitempty"`
	Document *Document `json:"document,omitempty"`
	Provider string    `json:"provider,omitempty"`
}

// Document is a document without a signature. In an upload the content goes by itself.
type Document struct {
	MediaType     string    `json:"mediaType"`
	PredicateType string    `json:"predicateType,omitempty"`
	Content       *string   `json:"content,omitempty"`
	Subjects      []Subject `json:"subjects"`
}

// Subject is what a document speaks of: exactly one of digest, purl, build and application version.
type Subject struct {
	Name               string      `json:"name,omitempty"`
	Digest             string      `json:"digest,omitempty"`
	Purl               string      `json:"purl,omitempty"`
	Build              *BuildRef   `json:"build,omitempty"`
	ApplicationVersion *VersionRef `json:"applicationVersion,omitempty"`
}

// BuildRef is a build by its names.
type BuildRef struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

// VersionRef is an application version by its names.
type VersionRef struct {
	ApplicationKey string `json:"applicationKey"`
	Version        string `json:"version"`
}

// File is a file to upload, which is read as it is sent.
type File struct {
	Name, MediaType string
	Open            func() (io.ReadCloser, error)
}

// Receipt is what the server says of an upload.
type Receipt struct {
	Evidence struct {
		ID            string `json:"id"`
		Digest        string `json:"digest"`
		PredicateType string `json:"predicateType"`
		Category      string `json:"category"`
		Verified      bool   `json:"verified"`
	} `json:"evidence"`
	AlreadyKnown bool `json:"alreadyKnown"`
}

// Upload sends a piece of evidence whose content is too large for an operation, or that has attachments, once. Of the
// evidence it takes what describes it. It fails as Ask does.
func (c *Client) Upload(ctx context.Context, e Evidence, content File, attachments []File) (Receipt, error) {
	ctx, stop := context.WithTimeout(ctx, uploadPatience)
	defer stop()
	reading, writing := io.Pipe()
	form := multipart.NewWriter(writing)
	go func() { writing.CloseWithError(writeForm(form, e, content, attachments)) }()
	// Whatever ends the request ends the writer, too: it fails on its next byte.
	defer func() { _ = reading.Close() }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/evidence", reading)
	if err != nil {
		return Receipt{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	// Whoever may not push hears that before everything is sent.
	request.Header.Set("Expect", "100-continue")
	c.authorize(request)
	body, status, err := c.do(request)
	if err != nil {
		if f, ok := errors.AsType[*fileError](err); ok {
			return Receipt{}, f
		}
		return Receipt{}, err
	}
	return readReceipt(body, status)
}

func readReceipt(body []byte, status int) (Receipt, error) {
	var answer struct {
		Receipt
		Errors []AnswerError `json:"errors"`
	}
	err := json.Unmarshal(body, &answer)
	switch {
	case err == nil && len(answer.Errors) > 0:
		return Receipt{}, problem(answer.Errors, status)
	case err == nil && (status == http.StatusOK || status == http.StatusCreated) && answer.Evidence.Digest != "":
		return answer.Receipt, nil
	}
	return Receipt{}, answered(status)
}

// fileError is a failure to read what is to be sent: no fault of the connection.
type fileError struct{ err error }

func (f *fileError) Error() string { return f.err.Error() }
func (f *fileError) Unwrap() error { return f.err }

func writeForm(form *multipart.Writer, e Evidence, content File, attachments []File) error {
	metadata, err := marshal(e)
	if err != nil {
		return &fileError{fmt.Errorf("write metadata: %w", err)}
	}
	part, err := form.CreatePart(header("metadata", "", "application/json"))
	if err != nil {
		return err
	}
	if _, err := part.Write(metadata); err != nil {
		return err
	}
	if err := writeFile(form, "content", content); err != nil {
		return err
	}
	for _, a := range attachments {
		if err := writeFile(form, "attachment", a); err != nil {
			return err
		}
	}
	return form.Close()
}

func writeFile(form *multipart.Writer, part string, f File) error {
	from, err := f.Open()
	if err != nil {
		return &fileError{err}
	}
	defer func() { _ = from.Close() }() // it was only read
	to, err := form.CreatePart(header(part, f.Name, f.MediaType))
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}

func header(part, file, mediaType string) textproto.MIMEHeader {
	disposition := fmt.Sprintf(`form-data; name="%s"`, part)
	if file != "" {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "_", "\n", "_").Replace(file)
		disposition += fmt.Sprintf(`; filename="%s"`, quoted)
	}
	return textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {mediaType}}
}
