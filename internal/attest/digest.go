package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
)

// VerifyDigest is Verify for a bundle that signs a message digest with a key. Ed25519 keys sign whole messages, which are
// not here: they are no candidates.
func VerifyDigest(b Bundle, candidates []Candidate) (Verdict, error) {
	if b.Digest == "" {
		return Verdict{Reason: "the bundle signs no message digest"}, nil
	}
	m := message{digest: b.digest()}
	return m.verifyAll([]Signature{b.Signature}, candidates)
}

// checkableBy tells whether a signature of m by the key could be checked: Ed25519 hashes the message itself.
func (m *message) checkableBy(k PublicKey) bool { return k.parsed != nil && m.checkableWith(k.parsed) }

func (m *message) checkableWith(p *parsedKey) bool {
	_, whole := p.key.(ed25519.PublicKey)
	return m.digest == nil || !whole
}

// verifyDigest is verify where only the SHA-256 digest is known.
func (p *parsedKey) verifyDigest(digest, sig []byte) bool {
	switch key := p.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, sig) == nil || rsa.VerifyPSS(key, crypto.SHA256, digest, sig, nil) == nil
	}
	return false
}
