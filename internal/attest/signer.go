package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Signer signs statements with one key. It is safe for use by several goroutines when the signature.Signer below is; those
// of sigstore are.
type Signer struct {
	below  signature.Signer
	public PublicKey
}

// Signed is a statement with its signature, in the three forms people ask for.
type Signed struct {
	// Statement is the payload: canonical JSON (RFC 8785).
	Statement []byte
	// Envelope is the DSSE envelope, compact JSON, the same bytes as inside Bundle.
	Envelope []byte
	// Bundle is the Sigstore bundle v0.3, compact JSON.
	Bundle []byte
	// Digest is "sha256:<hex>" of Statement.
	Digest string
}

// NewSigner wraps a signer: a key in memory, or a key service. It fails unless the key is P-256 or Ed25519 and one
// signature, made now, verifies with its public key.
//
// The other curves are refused because cosign hashes with SHA-256 whatever the curve, while slsa-verifier takes the hash
// that fits it: no one signature would satisfy both.
func NewSigner(s signature.Signer) (*Signer, error) {
	if s == nil {
		return nil, errors.New("signing key: there is no signer")
	}
	key, err := s.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("signing key: read its public half: %w", err)
	}
	if err := checkSigningKey(key); err != nil {
		return nil, err
	}
	public, err := newPublicKey(key)
	if err != nil {
		return nil, err
	}
	signer := &Signer{below: s, public: public}
	if err := signer.Check(); err != nil {
		return nil, err
	}
	return signer, nil
}

func checkSigningKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
		return fmt.Errorf("signing key: ECDSA on %s is not supported, because cosign would not verify it; use P-256 or Ed25519", k.Curve.Params().Name)
	}
	return fmt.Errorf("signing key: a key of type %T is not supported; use P-256 or Ed25519", key)
}

// Check makes one signature and verifies it. A key service that hashes differently or holds another key shows itself at the
// start, not in front of the first auditor. The text signed is no DSSE encoding, so it can be no statement.
func (s *Signer) Check() error {
	probe := message{pae: []byte("plimsoll: is this the key?")}
	sig, err := s.below.SignMessage(bytes.NewReader(probe.pae))
	if err != nil {
		return fmt.Errorf("signing key: a first signature failed: %w", err)
	}
	if !s.public.parsed.verify(&probe, sig) {
		return errors.New("signing key: a first signature does not verify with its public key; it must sign with SHA-256 (P-256) or plain Ed25519")
	}
	return nil
}

// PublicKey returns the verification key.
func (s *Signer) PublicKey() PublicKey { return s.public }

// PublicKeyPEM returns the verification key as one PEM block, the file that cosign and slsa-verifier are given.
func (s *Signer) PublicKeyPEM() []byte { return s.public.PEM() }

// Fingerprint returns "sha256:<hex>" of the verification key's DER SubjectPublicKeyInfo.
func (s *Signer) Fingerprint() string { return s.public.Fingerprint() }

// Sign signs the statement, an in-toto Statement v1. It fails on a statement that ParseStatement would refuse, when ctx
// is done, or when the key service fails.
func (s *Signer) Sign(ctx context.Context, st Statement) (Signed, error) {
	if err := ctx.Err(); err != nil {
		return Signed{}, fmt.Errorf("sign statement: %w", err)
	}
	payload, err := payloadOf(st)
	if err != nil {
		return Signed{}, fmt.Errorf("sign statement: %w", err)
	}
	sig, err := s.below.SignMessage(bytes.NewReader(pae(PayloadType, payload)), options.WithContext(ctx))
	if err != nil {
		return Signed{}, fmt.Errorf("sign statement: %w", err)
	}
	envelope, err := json.Marshal(wireEnvelope{
		Payload:     payload,
		PayloadType: PayloadType,
		Signatures:  []wireSignature{{Sig: sig}}, // exactly one: cosign refuses two
	})
	if err != nil {
		return Signed{}, fmt.Errorf("write envelope: %w", err)
	}
	bundle, err := json.Marshal(wireBundle{
		MediaType:            BundleMediaType,
		VerificationMaterial: wireVerification{PublicKey: wireHint{Hint: s.public.parsed.base64ID}},
		DSSEEnvelope:         envelope,
	})
	if err != nil {
		return Signed{}, fmt.Errorf("write bundle: %w", err)
	}
	return Signed{Statement: payload, Envelope: envelope, Bundle: bundle, Digest: canonical.Digest(payload)}, nil
}

// payloadOf writes a statement canonically, and reads it again: nothing is signed that a strict reader would refuse.
func payloadOf(st Statement) ([]byte, error) {
	if st.Type != StatementV1 {
		return nil, at("_type", "%q is not signed here, only %s", clip(st.Type), StatementV1)
	}
	if !startsWith(st.Predicate, '{') {
		return nil, at("predicate", "must be a JSON object")
	}
	payload, err := canonical.JSON(st)
	if err != nil {
		return nil, err
	}
	if _, err := ParseStatement(payload); err != nil {
		return nil, err
	}
	return payload, nil
}
