package attest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func x25519PEM(tb testing.TB) []byte {
	tb.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.PublicKey())
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestRule33_EveryKindOfKeyAndHashVerifies(t *testing.T) {
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256}
	for name, c := range map[string]struct {
		kind string
		hash crypto.Hash
	}{
		"P-256 with SHA-256":         {"P-256", crypto.SHA256},
		"P-384 with SHA-256":         {"P-384", crypto.SHA256},
		"P-384 with its own SHA-384": {"P-384", crypto.SHA384},
		"P-521 with SHA-256":         {"P-521", crypto.SHA256},
		"P-521 with its own SHA-512": {"P-521", crypto.SHA512},
		"Ed25519":                    {"Ed25519", 0},
		"RSA PKCS #1 v1.5":           {"RSA", crypto.SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			key := privateKey(t, c.kind)
			env := envelopeBy(t, key, "")
			env.Signatures[0].Sig = signDSSE(t, key, c.hash, env.PayloadType, env.Payload)
			wantVerified(t, env, attest.Candidate{Alias: "ci", Key: publicKey(t, key)})
		})
	}
	t.Run("RSA PSS", func(t *testing.T) {
		key := privateKey(t, "RSA")
		env := envelopeBy(t, key, "")
		message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(env.PayloadType), env.PayloadType, len(env.Payload), env.Payload)
		sum := sha256.Sum256(message)
		sig, err := key.Sign(rand.Reader, sum[:], pss)
		if err != nil {
			t.Fatal(err)
		}
		env.Signatures[0].Sig = sig
		wantVerified(t, env, attest.Candidate{Alias: "ci", Key: publicKey(t, key)})
	})
}

func wantVerified(t *testing.T, env attest.Envelope, c attest.Candidate) {
	t.Helper()
	v, err := attest.Verify(env, []attest.Candidate{{Alias: "other", Key: publicKey(t, privateKey(t, "P-256"))}, c})
	if err != nil {
		t.Fatal(err)
	}
	if !v.Verified || v.Alias != c.Alias || v.Fingerprint != c.Key.Fingerprint() || !strings.Contains(v.Reason, c.Alias) {
		t.Errorf("verdict is %+v", v)
	}
}

// keyids returns every way in which tools write a key's id.
func keyids(t *testing.T, key crypto.Signer) map[string]string {
	t.Helper()
	block, _ := pem.Decode(publicPEM(t, key))
	sum := sha256.Sum256(block.Bytes)
	ssh, err := dsse.SHA256KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"the alias":                 "ci",
		"hexadecimal":               hex.EncodeToString(sum[:]),
		"upper-case hexadecimal":    strings.ToUpper(hex.EncodeToString(sum[:])),
		"a digest":                  "sha256:" + hex.EncodeToString(sum[:]),
		"the hint of a bundle":      base64.StdEncoding.EncodeToString(sum[:]),
		"the SSH fingerprint":       ssh,
		"a digest with a big value": "sha256:" + strings.ToUpper(hex.EncodeToString(sum[:])),
	}
}

func TestRule33_AKeyIDNamesAKeyInEveryUsualForm(t *testing.T) {
	for _, kind := range []string{"P-256", "Ed25519", "RSA"} {
		key, other := privateKey(t, kind), privateKey(t, kind)
		registered := []attest.Candidate{
			{Alias: "zz", Key: publicKey(t, privateKey(t, "P-256"))},
			{Alias: "ci", Key: publicKey(t, key)},
		}
		for form, keyid := range keyids(t, key) {
			t.Run(kind+", "+form, func(t *testing.T) {
				v, err := attest.Verify(envelopeBy(t, key, keyid), registered)
				if err != nil || !v.Verified || v.Alias != "ci" {
					t.Errorf("a good signature: %+v, %v", v, err)
				}
				_, err = attest.Verify(envelopeBy(t, other, keyid), registered)
				if !errors.Is(err, attest.ErrSignatureMismatch) {
					t.Errorf("another key's signature under this keyid: %v, want ErrSignatureMismatch", err)
				}
			})
		}
	}
}

func TestRule33_ASignatureThatDoesNotMatchItsNamedKeyIsRefused(t *testing.T) {
	key, stranger := privateKey(t, "P-256"), privateKey(t, "P-256")
	ed := privateKey(t, "Ed25519")
	registered := []attest.Candidate{
		{Alias: "ci", Key: publicKey(t, key)},
		{Alias: "qa", Key: publicKey(t, privateKey(t, "P-256"))},
		{Alias: "ed", Key: publicKey(t, ed)},
		{Alias: "rsa", Key: publicKey(t, privateKey(t, "RSA"))},
	}
	good := envelopeBy(t, key, "ci")
	for name, c := range map[string]struct {
		change func(*attest.Envelope)
		says   string
	}{
		"the payload was changed":                              {func(e *attest.Envelope) { e.Payload = append([]byte(" "), e.Payload...) }, `"ci"`},
		"the payload type was changed":                         {func(e *attest.Envelope) { e.PayloadType += "x" }, `"ci"`},
		"the payload was emptied":                              {func(e *attest.Envelope) { e.Payload = nil }, `"ci"`},
		"a registered key signed, but it is not the one named": {func(e *attest.Envelope) { e.Signatures[0].KeyID = "qa" }, `"qa"`},
		"bytes that are no ECDSA signature":                    {func(e *attest.Envelope) { e.Signatures[0].Sig = []byte("sig") }, "3 bytes that are no ECDSA P-256 signature"},
		"no bytes":                                             {func(e *attest.Envelope) { e.Signatures[0].Sig = nil }, "0 bytes that are no"},
		"bytes that are no Ed25519 signature":                  {func(e *attest.Envelope) { e.Signatures[0].KeyID = "ed" }, "that are no Ed25519 signature"},
		"bytes that are no RSA signature":                      {func(e *attest.Envelope) { e.Signatures[0].KeyID = "rsa" }, "that are no RSA 2048 signature"},
		"a byte behind the signature":                          {func(e *attest.Envelope) { e.Signatures[0].Sig = append(e.Signatures[0].Sig, 0) }, `"ci"`},
		"a good signature goes before the bad one": {func(e *attest.Envelope) {
			e.Signatures = append(e.Signatures, attest.Signature{KeyID: "qa", Sig: e.Signatures[0].Sig})
		}, "signatures[1]"},
		"a good signature comes after the bad one": {func(e *attest.Envelope) {
			e.Signatures = []attest.Signature{{KeyID: "qa", Sig: e.Signatures[0].Sig}, e.Signatures[0]}
		}, "signatures[0]"},
		"a stranger's signature goes before the bad one": {func(e *attest.Envelope) {
			e.Signatures = []attest.Signature{envelopeBy(t, stranger, "").Signatures[0], {KeyID: "qa", Sig: []byte{1}}}
		}, "signatures[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			env := good
			env.Signatures = []attest.Signature{{KeyID: "ci", Sig: bytes.Clone(good.Signatures[0].Sig)}}
			c.change(&env)
			v, err := attest.Verify(env, registered)
			if !errors.Is(err, attest.ErrSignatureMismatch) {
				t.Fatalf("want ErrSignatureMismatch, got %+v, %v", v, err)
			}
			wantError(t, err, c.says)
			if v.Verified || v.Alias != "" {
				t.Errorf("refused, and yet the verdict is %+v", v)
			}
		})
	}
}

func TestRule33_AnUnknownSignerIsNotVerifiedAndNoError(t *testing.T) {
	key := privateKey(t, "P-256")
	others := []attest.Candidate{
		{Alias: "ci", Key: publicKey(t, privateKey(t, "P-256"))},
		{Alias: "", Key: publicKey(t, privateKey(t, "Ed25519"))},
		{Alias: "rsa", Key: publicKey(t, privateKey(t, "RSA"))},
		{Alias: "p384", Key: publicKey(t, privateKey(t, "P-384"))},
	}
	changed := envelopeBy(t, key, "")
	changed.Payload = append(changed.Payload, ' ')
	for name, c := range map[string]struct {
		env        attest.Envelope
		candidates []attest.Candidate
		reason     string
	}{
		"no keyid, and no key is registered":         {envelopeBy(t, key, ""), nil, "no registered key matches (no keyid)"},
		"no keyid, and other keys are registered":    {envelopeBy(t, key, ""), others, "no registered key matches (no keyid)"},
		"a keyid that names nobody":                  {envelopeBy(t, key, "partner"), others, `no registered key matches (keyid "partner")`},
		"a keyid of line breaks":                     {envelopeBy(t, key, "a\nb"), others, `(keyid "a\nb")`},
		"a keyid that is long":                       {envelopeBy(t, key, strings.Repeat("k", 500)), others, strings.Repeat("k", 80) + "…"},
		"an alias in another case":                   {envelopeBy(t, key, "CI"), others, `(keyid "CI")`},
		"a changed payload under no keyid":           {changed, []attest.Candidate{{Alias: "ci", Key: publicKey(t, key)}}, "no registered key matches (no keyid)"},
		"bytes that are no signature of any kind":    {attest.Envelope{PayloadType: "t", Payload: []byte("p"), Signatures: []attest.Signature{{Sig: []byte{0}}}}, others, "no registered key"},
		"no signature at all":                        {attest.Envelope{PayloadType: "t", Payload: []byte("p")}, others, "the envelope has no signature"},
		"an Ed25519 signature of nothing but zeroes": {attest.Envelope{PayloadType: "t", Payload: []byte("p"), Signatures: []attest.Signature{{Sig: make([]byte, 64)}}}, others, "no registered key"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := attest.Verify(c.env, c.candidates)
			if err != nil {
				t.Fatal(err)
			}
			if v.Verified || v.Alias != "" || v.Fingerprint != "" {
				t.Errorf("verdict is %+v", v)
			}
			if !strings.Contains(v.Reason, c.reason) {
				t.Errorf("reason is %q, want %q in it", v.Reason, c.reason)
			}
		})
	}
}

func TestRule33_OneGoodSignatureAmongStrangersVerifies(t *testing.T) {
	key := privateKey(t, "P-256")
	env := envelopeBy(t, privateKey(t, "P-256"), "")
	env.Signatures = append(env.Signatures, envelopeBy(t, key, "").Signatures[0], envelopeBy(t, privateKey(t, "RSA"), "partner").Signatures[0])
	wantVerified(t, env, attest.Candidate{Alias: "ci", Key: publicKey(t, key)})
}

func TestVerify_AKeyUnderTwoAliasesAnswersToBoth(t *testing.T) {
	key := privateKey(t, "P-256")
	k := publicKey(t, key)
	both := []attest.Candidate{{Alias: "old", Key: k}, {Alias: "new", Key: k}}
	for keyid, want := range map[string]string{"old": "old", "new": "new", k.Fingerprint(): "old", "": "old"} {
		if v, err := attest.Verify(envelopeBy(t, key, keyid), both); err != nil || v.Alias != want {
			t.Errorf("keyid %q: %+v, %v; want alias %s", keyid, v, err, want)
		}
	}
	// Two keys under one alias, as while one replaces the other: it is enough that one of them signed.
	rotated := []attest.Candidate{{Alias: "ci", Key: publicKey(t, privateKey(t, "P-256"))}, {Alias: "ci", Key: k}}
	if v, err := attest.Verify(envelopeBy(t, key, "ci"), rotated); err != nil || v.Fingerprint != k.Fingerprint() {
		t.Errorf("the second key of an alias: %+v, %v", v, err)
	}
}

func TestRule33_NoByteOfABundleCanBeFlipped(t *testing.T) {
	for _, kind := range []string{"P-256", "Ed25519"} {
		t.Run(kind, func(t *testing.T) {
			s := newSigner(t, kind)
			signed := signVSA(t, s, passedVSA(), subjects())
			registered := []attest.Candidate{{Alias: "server", Key: s.PublicKey()}}
			if v, err := attest.Verify(parseEnvelope(t, signed.Envelope), registered); err != nil || !v.Verified {
				t.Fatalf("unchanged: %+v, %v", v, err)
			}
			start := bytes.Index(signed.Bundle, signed.Envelope)
			names := bytes.Index(signed.Bundle, []byte(`"keyid"`))
			for i := start; i < len(signed.Bundle); i++ {
				if i >= names && i < names+len(`"keyid":""`) {
					continue // a hint, which nobody signed
				}
				for _, bit := range []byte{0x01, 0x20, 0x80} {
					changed := bytes.Clone(signed.Bundle)
					changed[i] ^= bit
					wantUnverified(t, changed, registered, i)
				}
			}
		})
	}
}

func wantUnverified(t *testing.T, bundle []byte, registered []attest.Candidate, i int) {
	t.Helper()
	b, err := attest.BundleEnvelope(bundle)
	if err != nil {
		return
	}
	env, err := attest.ParseEnvelope(b)
	if err != nil {
		return
	}
	if v, err := attest.Verify(env, registered); err == nil && v.Verified {
		t.Errorf("byte %d was flipped and it verifies: %s", i, bundle)
	}
}
