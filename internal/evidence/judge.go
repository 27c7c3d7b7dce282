package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// judgement is who signed a claim, as far as is known here.
type judgement struct {
	verified bool
	// anchor is the one that vouches; nil when none does.
	anchor *db.TrustAnchor
	// reason is the sentence that is stored.
	reason string
	// signerKey and the digest make the evidence one; see the column.
	signerKey string
	// lapsedKey is the fingerprint of a registered key that signed but does not count now; empty otherwise.
	lapsedKey string
}

// judge verifies a claim's signatures against the anchors that are valid at now. A signature that names a registered key
// and does not match is a BAD_USER_INPUT fault.
//
// One good signature by a valid key is enough. Keys that are revoked or outside their period are tried only when there is
// none, so that the sentence can say what is the matter.
func (s *Service) judge(ctx context.Context, c claim, now time.Time) (judgement, error) {
	if !c.signed() {
		return judgement{reason: "a document without a signature", signerKey: c.saidSubjects()}, nil
	}
	anchors, err := s.store.Read().TrustAnchor.Query().Order(trustanchor.ByID()).All(ctx)
	if err != nil {
		return judgement{}, fmt.Errorf("load trust anchors: %w", err)
	}
	var valid, lapsed []*db.TrustAnchor
	for _, a := range anchors {
		if whyLapsed(a, now) == "" {
			valid = append(valid, a)
		} else {
			lapsed = append(lapsed, a)
		}
	}
	verdict, signer, err := s.verify(c, valid)
	if err != nil {
		return judgement{}, err
	}
	if verdict.Verified {
		return judgement{verified: true, anchor: signer, reason: verdict.Reason, signerKey: verdict.Fingerprint}, nil
	}
	unknown := judgement{reason: verdict.Reason, signerKey: "keyid:" + c.keyID()}
	verdict, signer, err = s.verify(c, lapsed)
	if err != nil {
		return judgement{}, err
	}
	if verdict.Verified {
		unknown.reason = fmt.Sprintf("signed by the registered key %q, %s", verdict.Alias, whyLapsed(signer, now))
		unknown.lapsedKey = verdict.Fingerprint
	}
	return unknown, nil
}

// verify asks the engine, and finds the anchor of the key that signed.
func (s *Service) verify(c claim, anchors []*db.TrustAnchor) (attest.Verdict, *db.TrustAnchor, error) {
	candidates := make([]attest.Candidate, len(anchors))
	for i, a := range anchors {
		key, err := s.key(a)
		if err != nil {
			return attest.Verdict{}, nil, err
		}
		candidates[i] = attest.Candidate{Alias: a.Alias, Key: key}
	}
	verdict, err := attest.Verify(c.envelope, candidates)
	if err != nil { // ErrSignatureMismatch: the engine has no other
		return attest.Verdict{}, nil, fault.At(c.path, "refused: %v", err)
	}
	for _, a := range anchors {
		if verdict.Verified && a.Fingerprint == verdict.Fingerprint {
			return verdict, a, nil
		}
	}
	return verdict, nil, nil
}

func (s *Service) key(a *db.TrustAnchor) (attest.PublicKey, error) {
	if key, ok := s.keys.Get(a.Fingerprint); ok {
		return key, nil
	}
	key, err := attest.ParsePublicKey([]byte(a.PublicKey))
	if err != nil {
		return attest.PublicKey{}, fmt.Errorf("read key of trust anchor %q: %w", a.Alias, err)
	}
	s.keys.Add(a.Fingerprint, key)
	return key, nil
}

// whyLapsed says why an anchor's signatures do not count at now; empty when they do.
func whyLapsed(a *db.TrustAnchor, now time.Time) string {
	switch {
	case a.RevokedAt != nil:
		return "which was revoked on " + day(*a.RevokedAt)
	case a.ValidFrom != nil && now.Before(*a.ValidFrom):
		return "which is valid only from " + day(*a.ValidFrom)
	case a.ValidTo != nil && !now.Before(*a.ValidTo):
		return "which was valid until " + day(*a.ValidTo)
	}
	return ""
}

// stillTrusted refuses, inside the transaction, evidence whose anchor was revoked after it had been verified against it.
func (j judgement) stillTrusted(ctx context.Context, tx *db.Client) error {
	if j.anchor == nil {
		return nil
	}
	trusted, err := tx.TrustAnchor.Query().Where(trustanchor.ID(j.anchor.ID), trustanchor.RevokedAtIsNil()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look at trust anchor again: %w", err)
	}
	if !trusted {
		return fault.New(fault.Conflict, "the trust anchor %q was revoked while its evidence was being taken: submit it again", j.anchor.Alias)
	}
	return nil
}
