package attest_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// messageBundle signs the digest of text with a key, under a hint.
func messageBundle(tb testing.TB, key crypto.Signer, hint, text string) []byte {
	tb.Helper()
	digest := sha256.Sum256([]byte(text))
	sig, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Appendf(nil, `{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":%q}},"messageSignature":{`+
		`"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`, attest.BundleMediaType, hint,
		base64.StdEncoding.EncodeToString(digest[:]), base64.StdEncoding.EncodeToString(sig))
}

func TestParseBundleOfAKeyGoesOnWithVerify(t *testing.T) {
	signer := newSigner(t, "P-256")
	signed := signVSA(t, signer, passedVSA(), subjects())
	ours := []attest.Candidate{{Alias: "server", Key: signer.PublicKey()}}
	b := parseBundle(t, signed.Bundle)
	if b.Keyless() || b.Digest != "" || !bytes.Equal(b.Envelope.Payload, signed.Statement) {
		t.Errorf("read %+v", b)
	}
	if v, err := attest.Verify(*b.Envelope, ours); err != nil || v.Alias != "server" {
		t.Errorf("%+v, %v", v, err)
	}
	// The hint names the key, where the envelope's keyid is empty: a change is a lie about who signed, not a stranger's.
	b.Envelope.Payload = bytes.Replace(b.Envelope.Payload, []byte("PASSED"), []byte("FAILED"), 1)
	if v, err := attest.Verify(*b.Envelope, ours); !errors.Is(err, attest.ErrSignatureMismatch) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestParseBundleTakesEverySpellingOfTheVersions(t *testing.T) {
	good := string(messageBundle(t, privateKey(t, "P-256"), "", "shop.tar"))
	for _, mediaType := range []string{"+json;version=0.1", "+json;version=0.2", "+json;version=0.3", ".v0.3+json"} {
		raw := []byte(replace(good, ".v0.3+json→"+mediaType))
		if b := parseBundle(t, raw); !attest.IsBundle(raw) || b.Digest != canonical.Digest([]byte("shop.tar")) {
			t.Errorf("%s: read %+v", mediaType, b)
		}
	}
}

func TestParseBundleRefuses(t *testing.T) {
	message := string(messageBundle(t, privateKey(t, "P-256"), "k", "shop.tar"))
	envelope := string(signVSA(t, newSigner(t, "P-256"), passedVSA(), subjects()).Bundle)
	for name, c := range map[string]struct{ raw, want string }{
		"a later version":       {replace(message, "v0.3→v0.4"), "mediaType: "},
		"no media type":         {`{}`, "mediaType: missing"},
		"a duplicate":           {replace(message, `{"mediaType"→{"mediaType":"a","mediaType"`), "duplicate"},
		"two names of a member": {replace(envelope, `"payloadType"→"payload_type":"x","payloadType"`), "bundle: "},
		"an unknown member":     {replace(message, `{"mediaType"→{"more":1,"mediaType"`), "unknown field"},
		"no content":            {fmt.Sprintf(`{"mediaType":%q,"verificationMaterial":{"publicKey":{}}}`, attest.BundleMediaType), "content"},
		"no material":           {replace(message, `"publicKey":{"hint":"k"}→`), "verification material"},
		"no certificate":        {replace(message, `"publicKey":{"hint":"k"}→"certificate":{"rawBytes":"MAA="}`), "verificationMaterial: "},
		"a chain in v0.3":       {replace(message, `"publicKey":{"hint":"k"}→"x509CertificateChain":{"certificates":[]}`), "chain"},
		"an endless hint":       {replace(message, `"k"→"`+strings.Repeat("k", 2000)+`"`), "hint: is 2000 bytes"},
		"another hash":          {replace(message, "SHA2_256→SHA2_512"), "algorithm: SHA2_512 is not supported"},
		"a short digest":        {replace(message, `"digest":"→"digest":"MAA=","x":"`), "unknown field"},
		"no digest":             {replace(message, `"messageDigest"→"messageDigest":null,"x"`), "unknown field"},
		"two signatures":        {replace(envelope, `"signatures":[→"signatures":[{"sig":"MAA="},`), "exactly one"},
		"no signature":          {replace(envelope, `"signatures":[→"signatures":[],"x":[`), "unknown field"},
		"an envelope":           {goodEnvelope, "mediaType: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseBundle([]byte(c.raw))
			wantError(t, err, c.want)
		})
	}
}

func TestIsBundle(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.9+json"`:                true, // no need to read on
		`{"a":{"mediaType":"x"},"mediaType":"application/vnd.dev.sigstore.bundle+j"}`: true,
		`{"a":{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}`:         false,
		`{"MediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`:               false,
		`[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}]`:             false,
		`{"mediaType":"application/json"}`:                                            false,
		`{"mediaType":1}`:                                                             false,
		goodEnvelope:                                                                  false,
		``:                                                                            false,
		`{`:                                                                           false,
	} {
		if got := attest.IsBundle([]byte(raw)); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

func TestRule33_ASignedDigestIsVerifiedByTheRegisteredKey(t *testing.T) {
	for _, kind := range []string{"P-256", "P-384", "P-521", "RSA"} {
		t.Run(kind, func(t *testing.T) {
			key := privateKey(t, kind)
			ours := []attest.Candidate{
				{Alias: "ed", Key: publicKey(t, privateKey(t, "Ed25519"))}, {Alias: "ci", Key: publicKey(t, key)},
			}
			for _, hint := range []string{"", "somebody", "ci"} {
				v, err := attest.VerifyDigest(parseBundle(t, messageBundle(t, key, hint, "shop.tar")), ours)
				if err != nil || v.Alias != "ci" {
					t.Errorf("hint %q: %+v, %v", hint, v, err)
				}
			}
			stranger := messageBundle(t, privateKey(t, kind), "", "shop.tar")
			if v, err := attest.VerifyDigest(parseBundle(t, stranger), ours); err != nil || v.Verified || v.Reason == "" {
				t.Errorf("a stranger's: %+v, %v", v, err)
			}
			liar := messageBundle(t, privateKey(t, kind), "ci", "shop.tar")
			if v, err := attest.VerifyDigest(parseBundle(t, liar), ours); !errors.Is(err, attest.ErrSignatureMismatch) {
				t.Errorf("a liar's: %+v, %v", v, err)
			}
		})
	}
	t.Run("an Ed25519 key is no candidate, even when named", func(t *testing.T) {
		ed := attest.Candidate{Alias: "ed", Key: publicKey(t, privateKey(t, "Ed25519"))}
		b := parseBundle(t, messageBundle(t, privateKey(t, "P-256"), "ed", "shop.tar"))
		if v, err := attest.VerifyDigest(b, []attest.Candidate{ed}); err != nil || v.Verified {
			t.Errorf("%+v, %v", v, err)
		}
	})
	t.Run("an envelope is none", func(t *testing.T) {
		b := parseBundle(t, signVSA(t, newSigner(t, "P-256"), passedVSA(), subjects()).Bundle)
		if v, err := attest.VerifyDigest(b, nil); err != nil || v.Verified || v.Reason == "" {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// TestRealBundlesOfThePublicSigstore verifies what npm published, with the root that sigstore-go ships.
func TestRealBundlesOfThePublicSigstore(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Skipf("no module cache to read from: %v", err)
	}
	module := func(path string) []byte {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), path))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	root, err := attest.ParseTrustedRoot(module("examples/trusted-root-public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	releases := attest.KeylessCandidate{
		Alias: "sigstore-js", Issuer: "https://token.actions.githubusercontent.com",
		Subject: "https://github.com/sigstore/sigstore-js/*", Root: root,
	}
	raw := module("examples/bundle-provenance.json")
	v, err := attest.VerifyKeyless(parseBundle(t, raw), []attest.KeylessCandidate{releases})
	if err != nil || !v.Verified || v.SignedAt.Year() != 2023 {
		t.Errorf("%+v, %v", v, err)
	}
	var changed map[string]any
	if err := json.Unmarshal(raw, &changed); err != nil {
		t.Fatal(err)
	}
	changed["dsseEnvelope"].(map[string]any)["payload"] = b64(statementJSON(""))
	if raw, err = json.Marshal(changed); err != nil {
		t.Fatal(err)
	}
	if v, err := attest.VerifyKeyless(parseBundle(t, raw), nil); !errors.Is(err, attest.ErrSignatureMismatch) {
		t.Errorf("%+v, %v", v, err)
	}
}
