package evidence

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// judgement is who signed a claim, as far as is known here.
type judgement struct {
	verified bool
	// collected says that this installation signed, for having received it.
	collected bool
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
func (s *Service) judge(c claim, anchors []*db.TrustAnchor, now time.Time) (judgement, error) {
	if !c.signed() {
		return judgement{reason: "a document without a signature", signerKey: c.saidSubjects()}, nil
	}
	var valid, lapsed []*db.TrustAnchor
	for _, a := range anchors {
		if whyLapsed(a, now) == "" {
			valid = append(valid, a)
		} else {
			lapsed = append(lapsed, a)
		}
	}
	verdict, err := s.verify(c, valid)
	if err != nil {
		return judgement{}, err
	}
	if verdict.anchor != nil {
		return judgement{verified: true, anchor: verdict.anchor, reason: verdict.reason, signerKey: verdict.signerKey}, nil
	}
	unknown := judgement{reason: verdict.reason, signerKey: "keyid:" + c.keyID()}
	if verdict, err = s.verify(c, lapsed); err != nil {
		return judgement{}, err
	}
	if verdict.anchor != nil {
		unknown.reason = fmt.Sprintf("%s, %s", verdict.reason, whyLapsed(verdict.anchor, now))
		unknown.lapsedKey = verdict.signerKey
	}
	return unknown, nil
}

// verdict is what verifying against some anchors found.
type verdict struct {
	anchor    *db.TrustAnchor // nil when none of them signed
	reason    string
	signerKey string
}

// verify asks the engine, and finds the anchor that signed: a keyless identity for a bundle with a certificate, a key for
// everything else.
func (s *Service) verify(c claim, anchors []*db.TrustAnchor) (verdict, error) {
	if c.bundle != nil && c.bundle.Keyless() {
		return s.verifyKeyless(c, anchors)
	}
	var candidates []attest.Candidate
	for _, a := range anchors {
		if a.Kind != trustanchor.KindPUBLIC_KEY {
			continue
		}
		key, err := s.key(a)
		if err != nil {
			return verdict{}, err
		}
		candidates = append(candidates, attest.Candidate{Alias: a.Alias, Key: key})
	}
	var found attest.Verdict
	var err error
	if c.bundle != nil && c.bundle.Envelope == nil {
		found, err = attest.VerifyDigest(*c.bundle, candidates)
	} else {
		found, err = attest.Verify(c.envelope, candidates)
	}
	if err != nil { // ErrSignatureMismatch: the engine has no other
		return verdict{}, fault.At(c.path, "refused: %v", err)
	}
	return verdict{anchor: called(anchors, found.Alias), reason: found.Reason, signerKey: found.Fingerprint}, nil
}

// keylessPrefix tells the identity of a certificate from the key of a signer.
const keylessPrefix = "keyless:"

func (s *Service) verifyKeyless(c claim, anchors []*db.TrustAnchor) (verdict, error) {
	var candidates []attest.KeylessCandidate
	for _, a := range anchors {
		if a.Kind != trustanchor.KindKEYLESS {
			continue
		}
		root, err := s.root(a)
		if err != nil {
			return verdict{}, err
		}
		candidates = append(candidates, attest.KeylessCandidate{Alias: a.Alias, Issuer: a.Issuer, Subject: a.Subject, Root: root})
	}
	found, err := attest.VerifyKeyless(*c.bundle, candidates)
	if err != nil {
		return verdict{}, fault.At(c.path, "refused: %v", err)
	}
	return verdict{
		anchor: called(anchors, found.Alias), reason: found.Reason,
		signerKey: keylessPrefix + found.Subject + "\n" + found.Issuer,
	}, nil
}

// SignerOf splits what a piece of evidence records of its signer: what identifies it, and the issuer of a keyless
// identity, empty for a key. It is false for a document without a signature.
func SignerOf(e *db.Evidence) (identity, issuer string, signed bool) {
	if keyless, ok := strings.CutPrefix(e.SignerKey, keylessPrefix); ok {
		identity, issuer, _ = strings.Cut(keyless, "\n")
		return identity, issuer, true
	}
	if fingerprint, ok := strings.CutPrefix(e.SignerKey, collectorPrefix); ok {
		return fingerprint, "", true
	}
	return strings.TrimPrefix(e.SignerKey, "keyid:"), "", !strings.HasPrefix(e.SignerKey, saidPrefix)
}

// called finds the anchor with an alias; nil for none.
func called(anchors []*db.TrustAnchor, alias string) *db.TrustAnchor {
	for _, a := range anchors {
		if alias != "" && a.Alias == alias {
			return a
		}
	}
	return nil
}

// root gives the trusted root of a keyless identity, which takes a while to parse.
func (s *Service) root(a *db.TrustAnchor) (attest.TrustedRoot, error) {
	if root, ok := s.roots.Get(a.Fingerprint); ok {
		return root, nil
	}
	root, err := attest.ParseTrustedRoot([]byte(a.TrustedRoot))
	if err != nil {
		return attest.TrustedRoot{}, fmt.Errorf("read root of trust anchor %q: %w", a.Alias, err)
	}
	s.roots.Add(a.Fingerprint, root)
	return root, nil
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
