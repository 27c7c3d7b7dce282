package push

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/view"
)

// prepare makes of a file what is sent of it: a piece of evidence, or as many as it holds attestations.
func (r *run) prepare(ctx context.Context, path string) ([]*piece, error) {
	content, all, err := readStart(path)
	if err != nil {
		return nil, err
	}
	var pieces []*piece
	switch {
	case all && isSigned(content):
		pieces = r.signed(path, content)
	case r.call.Key != nil:
		pieces, err = r.sign(ctx, path, content, all)
	default:
		pieces, err = r.document(path, content, all)
	}
	if err == nil && len(pieces) > 1 && len(r.attachments) > 0 {
		pieces = []*piece{r.piece(path, 0).refuse("--attach goes with one piece of evidence; this file holds %d attestations", len(pieces))}
	}
	return pieces, err
}

func (r *run) piece(path string, index int) *piece {
	return &piece{result: Result{Path: path, Index: index}, evidence: client.Evidence{Provider: r.call.Provider}}
}

// signed takes a file of attestations apart.
func (r *run) signed(path string, content []byte) []*piece {
	found, err := attest.SplitAttestations(content, maxBatch)
	if err != nil {
		return []*piece{r.piece(path, 0).refuse("%v", err)}
	}
	pieces := make([]*piece, len(found))
	for i, raw := range found {
		pieces[i] = r.envelope(path, i, raw)
	}
	return pieces
}

// envelope makes a piece of evidence of one attestation. Large ones are uploaded from memory: the file may hold others.
func (r *run) envelope(path string, index int, raw []byte) *piece {
	p := r.piece(path, index)
	if r.call.DryRun {
		p.result.Digest, p.result.PredicateType = payload(raw)
	}
	if p.size = encodedSize(raw); len(raw) > maxInline || p.size > maxBatchBytes || len(r.attachments) > 0 {
		f := memory(path, raw)
		p.file = &f
		return p
	}
	p.evidence.Envelope = string(raw)
	return p
}

// payload tells by what an attestation is known, as far as it can be read.
func payload(raw []byte) (digest, predicateType string) {
	env, err := attest.ParseEnvelope(raw)
	if attest.IsBundle(raw) {
		var bundle attest.Bundle
		if bundle, err = attest.ParseBundle(raw); err == nil && bundle.Envelope == nil {
			return bundle.Digest, ""
		}
		if err == nil {
			env = *bundle.Envelope
		}
	}
	if err != nil {
		return "", ""
	}
	st, err := attest.ParseStatement(env.Payload)
	if err != nil {
		return "", ""
	}
	return canonical.Digest(env.Payload), st.PredicateType
}

// document makes a piece of evidence of a document as it is.
func (r *run) document(path string, content []byte, all bool) ([]*piece, error) {
	p := r.piece(path, 0)
	d := &client.Document{MediaType: r.call.MediaType, PredicateType: r.call.PredicateType, Subjects: r.subjects}
	if d.MediaType == "" {
		d.MediaType = mediaTypeOf(path, content)
	}
	if len(d.Subjects) == 0 {
		if !isIndex(content) {
			return []*piece{p.refuse("a document needs a subject: say what it speaks of with --subject, --build, or --application and --version")}, nil
		}
		d.Subjects = []client.Subject{}
	}
	p.evidence.Document = d
	if r.call.DryRun {
		return []*piece{p}, p.foresee(path, content, all)
	}
	p.size = encodedSize(content)
	if !all || len(content) > maxInline || p.size > maxBatchBytes || !utf8.Valid(content) || len(r.attachments) > 0 {
		f := file(path, d.MediaType)
		p.file = &f
		return []*piece{p}, nil
	}
	text := string(content)
	d.Content = &text
	return []*piece{p}, nil
}

// foresee notes what a document will be, or why it would be refused.
func (p *piece) foresee(path string, content []byte, all bool) error {
	digest, err := FileDigest(path)
	if err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	d := p.evidence.Document
	p.result.Digest, p.result.PredicateType = digest, d.PredicateType
	if d.PredicateType != "" || d.MediaType == indexType {
		return nil
	}
	if !all {
		p.refuse("documents of at most %d bytes are read; a larger one is kept as it is, and needs --predicate-type", maxRead)
		return nil
	}
	found, err := view.Detect(d.MediaType, content)
	if err != nil {
		p.refuse("%v", err)
		return nil
	}
	p.result.PredicateType = found.PredicateType
	return nil
}

// sign makes a statement of a document and signs it. What cannot be signed is refused; a key that fails is a failure.
func (r *run) sign(ctx context.Context, path string, content []byte, all bool) ([]*piece, error) {
	p := r.piece(path, 0)
	if len(r.subjects) == 0 {
		return []*piece{p.refuse("a statement needs a subject: say what it speaks of with --subject")}, nil
	}
	if !all || !json.Valid(content) {
		return []*piece{p.refuse("only JSON of at most %d bytes can be signed: it becomes the predicate of a statement", maxRead)}, nil
	}
	predicateType := r.call.PredicateType
	if predicateType == "" {
		found, err := view.Detect("application/json", content)
		if err != nil {
			return []*piece{p.refuse("it is not recognised: say what kind of statement it makes with --predicate-type")}, nil
		}
		predicateType = found.PredicateType
	}
	st, err := attest.NewStatement(signable(r.subjects), predicateType, json.RawMessage(content))
	if err == nil {
		err = canonical.Check(content, attest.MaxDepth-1)
	}
	if err != nil {
		return []*piece{p.refuse("it cannot be signed: %v", err)}, nil
	}
	signed, err := r.call.Key.Sign(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return []*piece{r.envelope(path, 0, signed.Envelope)}, nil
}
