// Package push sends files to a server as evidence: it finds them, tells what is signed from what is a document, says
// what documents speak of, signs them if it is given a key, and sends each once, small ones together.
package push

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	// MaxFiles is how many files are pushed at once.
	MaxFiles = 10_000
	// maxBatch and maxBatchBytes bound one request; maxInline is the largest file that goes into one with others.
	maxBatch      = 1_000
	maxBatchBytes = 16 << 20
	maxInline     = 8 << 20
	// maxRead is how much of a file is read to tell what it is, which is what the server reads of one. A larger one is a
	// document that is kept as it is.
	maxRead = 32 << 20
	// pause is how long the first wait before another try is.
	pause = 500 * time.Millisecond
)

// Call says what to push.
type Call struct {
	// Paths are files and folders.
	Paths []string
	// Provider, MediaType and PredicateType are told to the server where they are given. MediaType is that of documents.
	Provider, MediaType, PredicateType string
	// Subjects are what documents speak of: a digest, file:PATH or a purl.
	Subjects []string
	// Application and Version name a version that documents speak of, Builds builds, as NAME#NUMBER.
	Application, Version string
	Builds               []string
	// Attach are files that belong to the one piece of evidence.
	Attach []string
	// Key signs documents; nil leaves them unsigned.
	Key *attest.Signer
	// DryRun does everything but send.
	DryRun bool
	// Tell is called for each piece of evidence, in the order of the files; Progress, after each file.
	Tell     func(Result)
	Progress func(done, total int)
}

// What became of a piece of evidence.
const (
	Accepted     = "accepted"
	AlreadyKnown = "already_known"
	Refused      = "refused"
	// Ready is that of a dry run.
	Ready = "ready"
)

// Result is what became of one piece of evidence.
type Result struct {
	Path string `json:"path"`
	// Index counts the attestations of a file that holds several, from 0.
	Index  int    `json:"index"`
	Status string `json:"status"`
	// Digest and PredicateType are as the server says, and in a dry run as far as they can be told here.
	Digest        string `json:"digest,omitempty"`
	PredicateType string `json:"predicateType,omitempty"`
	// Code and Message say why it was refused.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Summary counts results by what became of them.
type Summary struct {
	Accepted, AlreadyKnown, Refused, Ready int
}

// Run pushes. What the server refuses is a result; the error is a fault.Error when the call is wrong, a client.AnswerError when
// the server refuses a request as a whole, and anything else when something failed. What was told before stands. A dry run
// needs no server.
func Run(ctx context.Context, server *client.Client, call Call) (Summary, error) {
	files, err := collect(call.Paths)
	if err != nil {
		return Summary{}, err
	}
	r := &run{server: server, call: call}
	if r.subjects, err = subjectsOf(call); err != nil {
		return Summary{}, err
	}
	if r.attachments, err = attachments(call.Attach, files); err != nil {
		return Summary{}, err
	}
	for i, path := range files {
		pieces, err := r.prepare(ctx, path)
		if err != nil {
			return r.summary, err
		}
		for _, p := range pieces {
			if err := r.take(ctx, p); err != nil {
				return r.summary, err
			}
		}
		if call.Progress != nil {
			call.Progress(i+1, len(files))
		}
	}
	return r.summary, r.flush(ctx)
}

// run is one run: what it knows, and what waits to be sent together.
type run struct {
	server      *client.Client
	call        Call
	subjects    []client.Subject
	attachments []client.File
	waiting     []*piece
	bytes       int
	summary     Summary
}

// piece is one piece of evidence on its way.
type piece struct {
	result   Result
	evidence client.Evidence
	size     int
	// file is set for what goes by itself, as an upload.
	file *client.File
}

// refuse notes why the piece of evidence is refused here, before anybody is asked.
func (p *piece) refuse(format string, args ...any) *piece {
	p.result.Status, p.result.Code, p.result.Message = Refused, string(fault.BadInput), fmt.Sprintf(format, args...)
	return p
}

func (r *run) tell(p *piece) {
	switch p.result.Status {
	case Accepted:
		r.summary.Accepted++
	case AlreadyKnown:
		r.summary.AlreadyKnown++
	case Refused:
		r.summary.Refused++
	case Ready:
		r.summary.Ready++
	}
	if r.call.Tell != nil {
		r.call.Tell(p.result)
	}
}
