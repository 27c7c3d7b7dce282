package attest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// sha256Hex is written as a digest is.
const sha256Hex = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"

// privateKey makes a key of the kind; each call makes another.
func privateKey(tb testing.TB, kind string) crypto.Signer {
	tb.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "P-224":
		key, err = ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "RSA":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		tb.Fatalf("no such kind of key: %s", kind)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func publicPEM(tb testing.TB, key crypto.Signer) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func privatePEM(tb testing.TB, key crypto.Signer) []byte {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func publicKey(tb testing.TB, key crypto.Signer) attest.PublicKey {
	tb.Helper()
	k, err := attest.ParsePublicKey(publicPEM(tb, key))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newSigner(tb testing.TB, kind string) *attest.Signer {
	tb.Helper()
	below, err := signature.LoadSigner(privateKey(tb, kind), crypto.SHA256)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := attest.NewSigner(below)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// signDSSE signs as some other tool would, written from the text of the DSSE specification.
func signDSSE(tb testing.TB, key crypto.Signer, hash crypto.Hash, payloadType string, payload []byte) []byte {
	tb.Helper()
	message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
	var opts crypto.SignerOpts = hash
	switch hash {
	case crypto.SHA256:
		sum := sha256.Sum256(message)
		message = sum[:]
	case crypto.SHA384:
		sum := sha512.Sum384(message)
		message = sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(message)
		message = sum[:]
	default: // Ed25519 hashes by itself
	}
	sig, err := key.Sign(rand.Reader, message, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return sig
}

// envelopeBy is an envelope about some statement, signed by key under keyid.
func envelopeBy(tb testing.TB, key crypto.Signer, keyid string) attest.Envelope {
	tb.Helper()
	hash := crypto.SHA256
	if _, ok := key.(ed25519.PrivateKey); ok {
		hash = 0
	}
	payload := []byte(statementJSON(""))
	return attest.Envelope{
		PayloadType: attest.PayloadType,
		Payload:     payload,
		Signatures:  []attest.Signature{{KeyID: keyid, Sig: signDSSE(tb, key, hash, attest.PayloadType, payload)}},
	}
}

// statementJSON is a good statement, or one in which "old→new" was replaced.
func statementJSON(change string) string {
	s := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"shop","digest":{"sha256":"` + sha256Hex + `"}}],` +
		`"predicateType":"https://example.com/p/v1","predicate":{"n":1}}`
	return replace(s, change)
}

// replace applies one "old→new" change to s.
func replace(s, change string) string {
	if change == "" {
		return s
	}
	before, after, _ := strings.Cut(change, "→")
	if !strings.Contains(s, before) {
		panic("the change does not apply: " + change)
	}
	return strings.Replace(s, before, after, 1)
}

func subjects() []attest.Subject {
	return []attest.Subject{{Name: "shop@1.4.0", Digest: map[string]string{"sha256": sha256Hex}}}
}

func passedVSA() attest.VSA {
	return attest.VSA{
		Verifier:          attest.Verifier{ID: "https://plimsoll.example/verifier", Version: map[string]string{"plimsoll": "0.1.0"}},
		TimeVerified:      time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC),
		ResourceURI:       "plimsoll://shop/1.4.0",
		Policy:            attest.Resource{URI: "plimsoll://policies/prod", Digest: map[string]string{"sha256": sha256Hex}},
		InputAttestations: []attest.Resource{{Digest: map[string]string{"sha256": sha256Hex}}},
		Result:            attest.Passed,
		VerifiedLevels:    []string{"SLSA_BUILD_LEVEL_2", "TRUSTED_RELEASE"},
		SLSAVersion:       "1.1",
	}
}

func signVSA(tb testing.TB, s *attest.Signer, v attest.VSA, about []attest.Subject) attest.Signed {
	tb.Helper()
	st, err := v.Statement(about)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := s.Sign(tb.Context(), st)
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

func parseEnvelope(tb testing.TB, b []byte) attest.Envelope {
	tb.Helper()
	env, err := attest.ParseEnvelope(b)
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wantError(tb testing.TB, err error, fragment string) {
	tb.Helper()
	if err == nil {
		tb.Fatalf("accepted; want an error that says %q", fragment)
	}
	if !strings.Contains(err.Error(), fragment) {
		tb.Fatalf("error is %q; want it to say %q", err, fragment)
	}
}
