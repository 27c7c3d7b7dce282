package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"strconv"
)

// ErrSignatureMismatch says that a signature names a registered key and is not that key's signature of the payload.
// Such evidence is refused: it was changed after it was signed, or it claims a signer it does not have.
var ErrSignatureMismatch = errors.New("the signature does not match the payload")

// Candidate is a registered key under its alias.
type Candidate struct {
	Alias string
	Key   PublicKey
}

// Verdict is what verifying an envelope found.
type Verdict struct {
	Verified bool
	// Alias and Fingerprint are those of the key that signed; empty when Verified is false.
	Alias       string
	Fingerprint string
	// Reason says in a sentence why the verdict is what it is.
	Reason string
}

// Verify checks the signatures of env against the candidates. A keyid that names candidates (by alias, or by any usual
// fingerprint of the key) restricts its signature to them, and if that fails the answer is ErrSignatureMismatch, whatever
// the other signatures are. A signature that names none is tried against all. One good signature verifies the envelope;
// none is no error: the signer is unknown, and Verified is false.
func Verify(env Envelope, candidates []Candidate) (Verdict, error) {
	m := message{payloadType: env.PayloadType, payload: env.Payload}
	return m.verifyAll(env.Signatures, candidates)
}

// verifyAll is Verify for any message.
func (m *message) verifyAll(signatures []Signature, candidates []Candidate) (Verdict, error) {
	verdict := Verdict{Reason: unknownSigner(signatures)}
	for i, s := range signatures {
		signer, named := m.findSigner(s, candidates)
		switch {
		case signer != nil:
			if !verdict.Verified {
				verdict = verifiedBy(*signer)
			}
		case named != nil:
			return Verdict{}, fmt.Errorf("signatures[%d]: names the registered key %q, but %w: %s",
				i, named.Alias, ErrSignatureMismatch, named.Key.parsed.whyNot(s.Sig))
		}
	}
	return verdict, nil
}

func verifiedBy(c Candidate) Verdict {
	return Verdict{
		Verified:    true,
		Alias:       c.Alias,
		Fingerprint: c.Key.Fingerprint(),
		Reason:      fmt.Sprintf("signed by the registered key %q", c.Alias),
	}
}

func unknownSigner(signatures []Signature) string {
	if len(signatures) == 0 {
		return "the envelope has no signature"
	}
	for _, s := range signatures {
		if s.KeyID != "" {
			return fmt.Sprintf("no registered key matches (keyid %q)", clip(s.KeyID))
		}
	}
	return "no registered key matches (no keyid)"
}

// findSigner returns the candidate whose signature s is, if any, and a candidate that s names, if any.
func (m *message) findSigner(s Signature, candidates []Candidate) (signer, named *Candidate) {
	for i := range candidates {
		c := &candidates[i]
		if !m.checkableBy(c.Key) || s.KeyID == "" || (c.Alias != s.KeyID && !c.Key.isCalled(s.KeyID)) {
			continue
		}
		named = c
		if c.Key.parsed.verify(m, s.Sig) {
			return c, c
		}
	}
	if named != nil {
		return nil, named
	}
	for i := range candidates {
		if c := &candidates[i]; m.checkableBy(c.Key) && c.Key.parsed.verify(m, s.Sig) {
			return c, nil
		}
	}
	return nil, nil
}

// message is what DSSE signs, the pre-authentication encoding of type and payload, hashed at most once per algorithm; or
// something of which only the SHA-256 digest is known.
type message struct {
	digest      []byte // all there is, unless nil
	payloadType string
	payload     []byte
	pae         []byte
	digests     [3][]byte // SHA-256, SHA-384, SHA-512
}

// encoded returns the pre-authentication encoding (DSSE protocol.md).
func (m *message) encoded() []byte {
	if m.pae == nil {
		m.pae = pae(m.payloadType, m.payload)
	}
	return m.pae
}

func pae(payloadType string, payload []byte) []byte {
	const numbers = 2 * 20 // the longest two lengths
	b := make([]byte, 0, len("DSSEv1    ")+numbers+len(payloadType)+len(payload))
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(b, ' ')
	b = append(b, payloadType...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

func (m *message) sha256() []byte {
	if m.digests[0] == nil {
		sum := sha256.Sum256(m.encoded())
		m.digests[0] = sum[:]
	}
	return m.digests[0]
}

func (m *message) sha384() []byte {
	if m.digests[1] == nil {
		sum := sha512.Sum384(m.encoded())
		m.digests[1] = sum[:]
	}
	return m.digests[1]
}

func (m *message) sha512() []byte {
	if m.digests[2] == nil {
		sum := sha512.Sum512(m.encoded())
		m.digests[2] = sum[:]
	}
	return m.digests[2]
}

// verify tells whether sig is the key's signature of m. DSSE does not say which hash was used: cosign takes SHA-256 for
// every ECDSA key, others the one as wide as the curve, so both are tried.
func (p *parsedKey) verify(m *message, sig []byte) bool {
	if !p.couldBe(sig) {
		return false
	}
	if m.digest != nil {
		return p.verifyDigest(m.digest, sig)
	}
	switch key := p.key.(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, m.sha256(), sig) {
			return true
		}
		switch key.Curve {
		case elliptic.P384():
			return ecdsa.VerifyASN1(key, m.sha384(), sig)
		case elliptic.P521():
			return ecdsa.VerifyASN1(key, m.sha512(), sig)
		}
		return false
	case ed25519.PublicKey:
		return ed25519.Verify(key, m.encoded(), sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, m.sha256(), sig) == nil ||
			rsa.VerifyPSS(key, crypto.SHA256, m.sha256(), sig, nil) == nil
	}
	return false
}

// couldBe tells whether sig has the shape of the key's signatures. It spares the arithmetic for every candidate of
// another kind.
func (p *parsedKey) couldBe(sig []byte) bool {
	switch key := p.key.(type) {
	case *ecdsa.PublicKey:
		// A DER sequence of two integers, each at most one byte longer than the curve is wide.
		width := (key.Curve.Params().BitSize + 7) / 8
		return len(sig) >= 8 && len(sig) <= 2*(width+3)+3 && sig[0] == 0x30
	case ed25519.PublicKey:
		return len(sig) == ed25519.SignatureSize
	case *rsa.PublicKey:
		return len(sig) == key.Size()
	}
	return false
}

func (p *parsedKey) whyNot(sig []byte) string {
	if !p.couldBe(sig) {
		return fmt.Sprintf("%d bytes that are no %s signature", len(sig), p.algorithm)
	}
	return "payload, payload type or signature was changed, or another key signed"
}
