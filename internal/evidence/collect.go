package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
)

// Collector is what this installation is called as the signer of what it has received from a tool that cannot sign. No
// trust anchor has this alias.
const Collector = "collector"

// collectorPrefix tells the installation's key from the key of a signer.
const collectorPrefix = "collector:"

// collector is with which key this installation signs for what it has received.
type collector struct {
	sign        *signing.Service
	fingerprint string
}

// WithCollector returns the service with the installation's own key, which collecting needs.
func (s *Service) WithCollector(sign *signing.Service) (*Service, error) {
	key, err := attest.ParsePublicKey(sign.PublicKeyPEM())
	if err != nil {
		return nil, fmt.Errorf("read the key to collect with: %w", err)
	}
	with := *s
	with.collector = &collector{sign: sign, fingerprint: key.Fingerprint()}
	return &with, nil
}

// received is what a tool sent, after it was found out that it was this tool.
type received struct {
	predicateType string
	content       json.RawMessage
	subjects      []attest.Subject
	provider      string
	// checked is the sentence that says how it is known who sent it.
	checked string
}

// collect signs for having received something, and keeps it as evidence of the organisation. Whoever acts in ctx is the
// installation. The same content about the same subjects is the same statement, and so the same evidence.
func (s *Service) collect(ctx context.Context, in received) (ev *db.Evidence, alreadyKnown bool, err error) {
	if s.collector == nil {
		return nil, false, errors.New("collect evidence: there is no key to sign with")
	}
	pusher, err := auth.From(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := canonical.Check(in.content, attest.MaxDepth-1); err != nil { // the statement is one level more
		return nil, false, fault.New(fault.BadInput, "refused: %v", err)
	}
	st, err := attest.NewStatement(in.subjects, in.predicateType, in.content)
	if err != nil {
		return nil, false, fault.New(fault.BadInput, "refused: %v", err)
	}
	signed, err := s.collector.sign.SignStatement(ctx, st)
	if err != nil {
		return nil, false, err
	}
	e := entry{
		pusher: pusher, provider: in.provider, at: s.now().UTC(),
		judgement: judgement{verified: true, collected: true, reason: in.checked, signerKey: collectorPrefix + s.collector.fingerprint},
	}
	if e.claim, err = readSigned("", signed.Bundle); err != nil {
		return nil, false, fmt.Errorf("read what was signed: %w", err)
	}
	if e.view, err = readView(e.claim); err != nil {
		return nil, false, err
	}
	if err := s.prepare(ctx, &e); err != nil {
		return nil, false, err
	}
	return s.write(auth.System(ctx), e)
}
