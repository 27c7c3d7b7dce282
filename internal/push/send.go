package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const submit = `mutation SubmitEvidenceBatch($input: SubmitEvidenceBatchInput!) {
  submitEvidenceBatch(input: $input) {
    results { index alreadyKnown evidence { digest predicateType } error { code path message } }
  }
}`

// take sends a piece of evidence, or lets it wait for others to go with.
func (r *run) take(ctx context.Context, p *piece) error {
	if p.result.Status == "" && r.call.DryRun {
		p.result.Status = Ready
	}
	if p.file != nil && p.result.Status == "" {
		if err := r.flush(ctx); err != nil {
			return err
		}
		return r.upload(ctx, p)
	}
	const around = 1 << 10 // what lies around each piece in the request: subjects, names
	if len(r.waiting) == maxBatch || len(r.waiting) > 0 && r.bytes+p.size+around > maxBatchBytes {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.waiting = append(r.waiting, p)
	r.bytes += p.size + around
	return nil
}

// flush sends what waits, in one request, and tells what became of it.
func (r *run) flush(ctx context.Context) error {
	waiting := r.waiting
	r.waiting, r.bytes = nil, 0
	var items []client.Evidence
	var sent []*piece
	for _, p := range waiting {
		if p.result.Status == "" {
			items, sent = append(items, p.evidence), append(sent, p)
		}
	}
	if len(items) > 0 {
		if err := r.submit(ctx, items, sent); err != nil {
			return err
		}
	}
	for _, p := range waiting {
		r.tell(p)
	}
	return nil
}

func (r *run) submit(ctx context.Context, items []client.Evidence, sent []*piece) error {
	var out struct {
		SubmitEvidenceBatch struct {
			Results []struct {
				Index        int
				AlreadyKnown bool
				Evidence     *struct{ Digest, PredicateType string }
				Error        *struct{ Code, Path, Message string }
			}
		}
	}
	op := client.Operation{Name: "SubmitEvidenceBatch", Document: submit, Variables: map[string]any{"input": map[string]any{"items": items}}}
	if err := client.Retry(ctx, pause, func() error { return r.server.Ask(ctx, op, &out) }); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	for _, result := range out.SubmitEvidenceBatch.Results {
		if result.Index < 0 || result.Index >= len(sent) {
			return fmt.Errorf("push: the server answers for item %d of %d", result.Index, len(sent))
		}
		p := sent[result.Index]
		switch {
		case result.Evidence != nil:
			p.taken(result.Evidence.Digest, result.Evidence.PredicateType, result.AlreadyKnown)
		case result.Error != nil:
			p.refusedBy(&client.AnswerError{Code: result.Error.Code, Path: result.Error.Path, Message: result.Error.Message})
		}
	}
	for _, p := range sent {
		if p.result.Status == "" {
			return fmt.Errorf("push: the server does not say what became of %s", p.result.Path)
		}
	}
	return nil
}

// upload sends a piece of evidence by itself, with the attachments if there are any.
func (r *run) upload(ctx context.Context, p *piece) error {
	var receipt client.Receipt
	err := client.Retry(ctx, pause, func() (err error) {
		receipt, err = r.server.Upload(ctx, p.evidence, *p.file, r.attachments)
		return err
	})
	problem, ok := errors.AsType[*client.AnswerError](err)
	switch {
	case err == nil:
		p.taken(receipt.Evidence.Digest, receipt.Evidence.PredicateType, receipt.AlreadyKnown)
	case ok && problem.Refused() && problem.Code != string(fault.Unauthenticated): // a token that opens nothing opens nothing next time
		p.refusedBy(problem)
	default:
		return fmt.Errorf("push %s: %w", p.result.Path, err)
	}
	r.tell(p)
	return nil
}

func (p *piece) taken(digest, predicateType string, known bool) {
	p.result.Status, p.result.Digest, p.result.PredicateType = Accepted, digest, predicateType
	if known {
		p.result.Status = AlreadyKnown
	}
}

func (p *piece) refusedBy(problem *client.AnswerError) {
	p.result.Status, p.result.Code, p.result.Message = Refused, problem.Code, problem.Message
	if problem.Path != "" {
		p.result.Message = problem.Path + ": " + problem.Message
	}
}

// memory is a file whose content is at hand.
func memory(path string, content []byte) client.File {
	return client.File{
		Name: filepath.Base(path), MediaType: "application/json",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// encodedSize is how long a text is within JSON.
func encodedSize(text []byte) int {
	size := len(text)
	for _, c := range text {
		switch {
		case c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t':
			size++
		case c < ' ':
			size += 5
		}
	}
	return size
}
