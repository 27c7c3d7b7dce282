package attest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// PublicKey is a parsed verification key. Copies share what was parsed, so it is cheap to pass and to keep; the zero
// value verifies nothing.
type PublicKey struct {
	parsed *parsedKey
}

// parsedKey holds a key with every name by which a keyid may call it, worked out once.
type parsedKey struct {
	key       crypto.PublicKey
	spki      []byte // DER
	algorithm string
	hexID     string // SHA-256 of spki
	base64ID  string // the same, as the hint of a Sigstore bundle has it
	sshID     string // "SHA256:…" of the SSH wire form, as go-securesystemslib has it; empty when SSH has no such key
}

// ParsePublicKey reads one public key in PEM (SubjectPublicKeyInfo): ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of
// 2048 to 8192 bits. A private key, a certificate and anything before or after the block are refused.
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) > maxPublicKeyPEM {
		return PublicKey{}, fmt.Errorf("public key: is %d bytes long, at most %d are allowed", len(b), maxPublicKeyPEM)
	}
	// Looked for first and anywhere: whatever else is wrong, somebody has just sent a secret.
	if bytes.Contains(b, []byte("PRIVATE KEY-----")) {
		return PublicKey{}, errors.New("public key: this is a private key; it was not stored, but it has travelled: replace it, and register the public half of the new one")
	}
	text := bytes.TrimSpace(b)
	block, rest := pem.Decode(text)
	if block == nil || !bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		return PublicKey{}, errors.New("public key: not PEM; expected one block that begins with -----BEGIN PUBLIC KEY-----")
	}
	switch block.Type {
	case "PUBLIC KEY":
	case "CERTIFICATE":
		return PublicKey{}, errors.New("public key: this is a certificate; take its key with openssl x509 -pubkey -noout")
	case "RSA PUBLIC KEY":
		return PublicKey{}, errors.New("public key: this is a PKCS #1 key; convert it with openssl rsa -RSAPublicKey_in -pubout")
	default:
		return PublicKey{}, fmt.Errorf("public key: a PEM block of type %q is no public key", clip(block.Type))
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return PublicKey{}, errors.New("public key: data after the PEM block; send exactly one key")
	}
	if len(block.Headers) > 0 {
		return PublicKey{}, errors.New("public key: headers in the PEM block; send the bare key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: not a SubjectPublicKeyInfo: %w", err)
	}
	return newPublicKey(key)
}

func newPublicKey(key crypto.PublicKey) (PublicKey, error) {
	algorithm, err := algorithmOf(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	// Encoded again, so that one key has one fingerprint however it was spelled.
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	sum := sha256.Sum256(spki)
	p := &parsedKey{
		key:       key,
		spki:      spki,
		algorithm: algorithm,
		hexID:     hex.EncodeToString(sum[:]),
		base64ID:  base64.StdEncoding.EncodeToString(sum[:]),
	}
	if id, err := dsse.SHA256KeyID(key); err == nil {
		p.sshID = id
	}
	return PublicKey{parsed: p}, nil
}

func algorithmOf(key crypto.PublicKey) (string, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return "ECDSA " + k.Curve.Params().Name, nil
		}
		return "", fmt.Errorf("ECDSA on %s is not supported; use P-256, P-384 or P-521", k.Curve.Params().Name)
	case ed25519.PublicKey:
		return "Ed25519", nil
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		if bits < 2048 || bits > 8192 {
			return "", fmt.Errorf("RSA of %d bits is not supported; use 2048 to 8192", bits)
		}
		if k.N.Bit(0) == 0 || k.E < 3 || k.E%2 == 0 {
			return "", errors.New("this RSA key has an even modulus or a bad exponent")
		}
		return fmt.Sprintf("RSA %d", bits), nil
	}
	return "", fmt.Errorf("a key of type %T is not supported; use ECDSA, Ed25519 or RSA", key)
}

// PEM returns the key as one PEM block (SubjectPublicKeyInfo).
func (k PublicKey) PEM() []byte {
	if k.parsed == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.parsed.spki})
}

// Fingerprint returns "sha256:<hex>" of the DER SubjectPublicKeyInfo.
func (k PublicKey) Fingerprint() string {
	if k.parsed == nil {
		return ""
	}
	return "sha256:" + k.parsed.hexID
}

// Algorithm returns the kind of key for people to read: "ECDSA P-256", "Ed25519", "RSA 3072".
func (k PublicKey) Algorithm() string {
	if k.parsed == nil {
		return ""
	}
	return k.parsed.algorithm
}

// isCalled tells whether keyid is one of the names by which tools call the key.
func (k PublicKey) isCalled(keyid string) bool {
	p := k.parsed
	if p == nil || keyid == "" {
		return false
	}
	if digest, ok := strings.CutPrefix(keyid, "sha256:"); ok {
		return strings.EqualFold(digest, p.hexID)
	}
	return keyid == p.base64ID || keyid == p.sshID || strings.EqualFold(keyid, p.hexID)
}
