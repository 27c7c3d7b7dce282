package attest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func TestParsePublicKey_RefusesWhatIsNotOnePublicKey(t *testing.T) {
	p256 := privateKey(t, "P-256")
	good := publicPEM(t, p256)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	der, _ := pem.Decode(good)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, p256.Public(), p256)
	if err != nil {
		t.Fatal(err)
	}
	rsaPublic := func(n *big.Int, e int) []byte {
		spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: e})
		if err != nil {
			t.Fatal(err)
		}
		return block("PUBLIC KEY", spki)
	}
	ones := func(bits uint) *big.Int {
		return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	}
	flipped := bytes.Clone(der.Bytes)
	flipped[len(flipped)-1] ^= 1

	for name, c := range map[string]struct {
		key  []byte
		says string
	}{
		"nothing":                               {nil, "not PEM"},
		"a sentence":                            {[]byte("my key"), "not PEM"},
		"DER without PEM":                       {der.Bytes, "not PEM"},
		"half a block":                          {good[:len(good)/2], "not PEM"},
		"a private key":                         {privatePEM(t, p256), "was not stored"},
		"a private key of an old kind":          {block("RSA PRIVATE KEY", []byte{1}), "was not stored"},
		"a cosign key file":                     {block("ENCRYPTED SIGSTORE PRIVATE KEY", []byte{1}), "was not stored"},
		"a private key behind a public key":     {append(bytes.Clone(good), privatePEM(t, p256)...), "was not stored"},
		"a certificate":                         {block("CERTIFICATE", certificate), "this is a certificate"},
		"a PKCS #1 key":                         {block("RSA PUBLIC KEY", []byte{1}), "PKCS #1"},
		"a block of another type":               {block("PGP PUBLIC KEY BLOCK", []byte{1}), "is no public key"},
		"two keys":                              {append(bytes.Clone(good), good...), "data after the PEM block"},
		"text behind the key":                   {append(bytes.Clone(good), "and a remark"...), "data after the PEM block"},
		"text before the key":                   {append([]byte("a remark\n"), good...), "not PEM"},
		"headers in the block":                  {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{"A": "b"}, Bytes: der.Bytes}), "headers in the PEM block"},
		"a block that holds no key":             {block("PUBLIC KEY", []byte("no key")), "not a SubjectPublicKeyInfo"},
		"a key with bytes behind it":            {block("PUBLIC KEY", append(bytes.Clone(der.Bytes), 0)), "not a SubjectPublicKeyInfo"},
		"a point that is not on its curve":      {block("PUBLIC KEY", flipped), "not a SubjectPublicKeyInfo"},
		"ECDSA on a curve that is too small":    {publicPEM(t, privateKey(t, "P-224")), "ECDSA on P-224 is not supported"},
		"RSA that is too small":                 {rsaPublic(ones(1024), 65537), "RSA of 1024 bits is not supported"},
		"RSA that is too large":                 {rsaPublic(ones(8193), 65537), "RSA of 8193 bits is not supported"},
		"RSA with an even modulus":              {rsaPublic(new(big.Int).Lsh(big.NewInt(1), 2047), 65537), "even modulus"},
		"RSA that signs anything with itself":   {rsaPublic(ones(2048), 1), "bad exponent"},
		"RSA with an even exponent":             {rsaPublic(ones(2048), 4), "bad exponent"},
		"more bytes than any key":               {append(bytes.Clone(good), bytes.Repeat([]byte("\n"), 16<<10)...), "at most 16384"},
		"a key for agreeing, not for signing":   {x25519PEM(t), "is not supported"},
		"a key whose text was cut at the front": {bytes.TrimPrefix(good, []byte("-")), "not PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParsePublicKey(c.key)
			wantError(t, err, c.says)
		})
	}
}

func TestParsePublicKey_ReadsEveryKindAndWritesItBack(t *testing.T) {
	for kind, algorithm := range map[string]string{
		"P-256": "ECDSA P-256", "P-384": "ECDSA P-384", "P-521": "ECDSA P-521", "Ed25519": "Ed25519", "RSA": "RSA 2048",
	} {
		t.Run(kind, func(t *testing.T) {
			text := publicPEM(t, privateKey(t, kind))
			k, err := attest.ParsePublicKey([]byte("\r\n" + strings.ReplaceAll(string(text), "\n", "\r\n") + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if k.Algorithm() != algorithm {
				t.Errorf("algorithm is %q, want %q", k.Algorithm(), algorithm)
			}
			if !bytes.Equal(k.PEM(), text) {
				t.Errorf("written back as\n%s", k.PEM())
			}
			if !strings.HasPrefix(k.Fingerprint(), "sha256:") || len(k.Fingerprint()) != 71 {
				t.Errorf("fingerprint is %q", k.Fingerprint())
			}
		})
	}
}

func TestPublicKey_TheZeroValueIsNoKey(t *testing.T) {
	var k attest.PublicKey
	if k.PEM() != nil || k.Fingerprint() != "" || k.Algorithm() != "" {
		t.Error("the zero value describes a key")
	}
	env := envelopeBy(t, privateKey(t, "P-256"), "")
	if v, err := attest.Verify(env, []attest.Candidate{{Alias: "zero"}}); err != nil || v.Verified {
		t.Errorf("the zero value verified: %+v, %v", v, err)
	}
}
