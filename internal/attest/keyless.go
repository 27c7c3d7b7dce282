package attest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/verify"
)

// KeylessCandidate is a registered identity: who may sign, and the root that vouches for it.
type KeylessCandidate struct {
	Alias string
	// Issuer is the address of the identity provider, compared exactly.
	Issuer string
	// Subject is a pattern for the certificate's subject (see CheckSubjectPattern). One that check refuses matches nobody.
	Subject string
	Root    TrustedRoot
}

// KeylessVerdict is what verifying a bundle with a certificate found.
type KeylessVerdict struct {
	Verified bool
	// Alias is that of the identity that signed; empty, like Issuer and Subject, when Verified is false.
	Alias string
	// Issuer and Subject are those of the certificate.
	Issuer  string
	Subject string
	// SignedAt is the earliest time that a log or a timestamp authority vouches for: the signature was there by then.
	SignedAt time.Time
	// Reason says in a sentence why the verdict is what it is.
	Reason string
}

// VerifyKeyless checks a bundle against the candidates, offline: its signature, then for each candidate whose issuer and
// subject the certificate has, the certificate's chain, its log entry and timestamps under the candidate's root. The
// first that holds verifies the bundle. None is no error: the signer is unknown, or nobody trusted has seen it sign.
//
// A signature that is not that of the certificate's own key is ErrSignatureMismatch, whoever the candidates are.
func VerifyKeyless(b Bundle, candidates []KeylessCandidate) (KeylessVerdict, error) {
	if b.leaf == nil {
		return KeylessVerdict{Reason: "the bundle has no certificate, it was signed with a key"}, nil
	}
	if err := b.checkSignature(); err != nil {
		return KeylessVerdict{}, err
	}
	verdict := KeylessVerdict{Reason: fmt.Sprintf("no registered identity matches %s", b.leaf)}
	failed := false
	for _, c := range candidates {
		if !c.matches(b.leaf) {
			continue
		}
		signedAt, err := b.verifyUnder(c.Root)
		if err == nil {
			return KeylessVerdict{
				Verified: true,
				Alias:    c.Alias,
				Issuer:   b.leaf.issuer,
				Subject:  b.leaf.subject,
				SignedAt: signedAt,
				Reason:   fmt.Sprintf("signed by the registered identity %q as %s", c.Alias, b.leaf),
			}, nil
		}
		if !failed {
			failed = true
			verdict.Reason = fmt.Sprintf("names the registered identity %q, but its trusted root does not confirm it: %s", c.Alias, sentence(err))
		}
	}
	return verdict, nil
}

// maxReasonPart is how long one part of a reason that others wrote may be.
const maxReasonPart = 300

// sentence gives an error one line: sigstore joins several, or formats one that is not there.
func sentence(err error) string {
	text := strings.TrimSuffix(err.Error(), "; error: %!w(<nil>)")
	return clipTo(strings.Join(strings.Fields(text), " "), maxReasonPart)
}

// String names the signer in a sentence.
func (l *leaf) String() string {
	return fmt.Sprintf("%q (issuer %q)", clipTo(l.subject, maxReasonPart), clip(l.issuer))
}

func (c KeylessCandidate) matches(l *leaf) bool {
	return c.Issuer != "" && c.Issuer == l.issuer && CheckSubjectPattern(c.Subject) == nil && matchSubject(c.Subject, l.subject)
}

// checkSignature verifies the signature with the certificate's key, whoever's that is.
func (b *Bundle) checkSignature() error {
	m, sig := b.signed()
	if !m.checkableWith(b.leaf.key) {
		return nil // the root's verdict says so
	}
	if !b.leaf.key.verify(m, sig) {
		return fmt.Errorf("the certificate of %s: %w: %s", b.leaf, ErrSignatureMismatch, b.leaf.key.whyNot(sig))
	}
	return nil
}

// signed returns what the bundle signs, and its signature.
func (b *Bundle) signed() (*message, []byte) {
	if b.Envelope != nil {
		return &message{payloadType: b.Envelope.PayloadType, payload: b.Envelope.Payload}, b.Envelope.Signatures[0].Sig
	}
	return &message{digest: b.digest()}, b.Signature.Sig
}

func (b *Bundle) digest() []byte { return b.below.GetMessageSignature().GetMessageDigest().GetDigest() }

// verifyUnder verifies everything that a root vouches for, and that the certificate verified is the leaf.
func (b *Bundle) verifyUnder(r TrustedRoot) (time.Time, error) {
	if r.parsed == nil {
		return time.Time{}, errors.New("it has none")
	}
	identity, err := verify.NewShortCertificateIdentity(b.leaf.issuer, "", b.leaf.subject, "")
	if err != nil {
		return time.Time{}, err
	}
	artifact := verify.WithoutArtifactUnsafe() // whose the statement's subjects are, others decide
	if b.Envelope == nil {
		artifact = verify.WithArtifactDigest("sha256", b.digest())
	}
	result, err := r.parsed.verifier.Verify(b.below, verify.NewPolicy(artifact, verify.WithCertificateIdentity(identity)))
	if err != nil {
		return time.Time{}, err
	}
	return earliest(result.VerifiedTimestamps)
}

func earliest(timestamps []verify.TimestampVerificationResult) (time.Time, error) {
	var first time.Time
	for _, t := range timestamps {
		if first.IsZero() || t.Timestamp.Before(first) {
			first = t.Timestamp
		}
	}
	if first.IsZero() {
		return time.Time{}, errors.New("no timestamp")
	}
	return first.UTC(), nil
}
