package attest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func TestNewSigner_RefusesKeysThatStockToolsCannotVerify(t *testing.T) {
	for kind, says := range map[string]string{"P-384": "cosign would not verify it", "P-521": "cosign would not verify it", "RSA": "use P-256 or Ed25519"} {
		t.Run(kind, func(t *testing.T) {
			below, err := signature.LoadSigner(privateKey(t, kind), crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			_, err = attest.NewSigner(below)
			wantError(t, err, says)
		})
	}
	_, err := attest.NewSigner(nil)
	wantError(t, err, "there is no signer")
}

// keyService is a signer whose answers can be bent, as a remote key service's can be.
type keyService struct {
	signature.Signer
	public    crypto.PublicKey
	publicErr error
	signErr   error
}

func (k keyService) PublicKey(opts ...signature.PublicKeyOption) (crypto.PublicKey, error) {
	if k.public != nil || k.publicErr != nil {
		return k.public, k.publicErr
	}
	return k.Signer.PublicKey(opts...)
}

func (k keyService) SignMessage(message io.Reader, opts ...signature.SignOption) ([]byte, error) {
	if k.signErr != nil {
		return nil, k.signErr
	}
	return k.Signer.SignMessage(message, opts...)
}

func TestNewSigner_FindsABrokenKeyServiceAtTheStart(t *testing.T) {
	key := privateKey(t, "P-256")
	good, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := signature.LoadSigner(key, crypto.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		service keyService
		says    string
	}{
		"it does not tell its public key":    {keyService{Signer: good, publicErr: errors.New("denied")}, "denied"},
		"it does not sign":                   {keyService{Signer: good, signErr: errors.New("no quota")}, "no quota"},
		"it signs with another key":          {keyService{Signer: good, public: privateKey(t, "P-256").Public()}, "does not verify with its public key"},
		"it hashes with something else":      {keyService{Signer: wide}, "does not verify with its public key"},
		"its public key is of a kind unsaid": {keyService{Signer: good, public: "key"}, "is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.NewSigner(c.service)
			wantError(t, err, c.says)
		})
	}
	if _, err := attest.NewSigner(keyService{Signer: good}); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func TestSign_RefusesWhatItWouldNotRead(t *testing.T) {
	s := newSigner(t, "P-256")
	good, err := attest.NewStatement(subjects(), attest.PredicateRelease, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*attest.Statement)
		says   string
	}{
		"the zero value":                      {func(st *attest.Statement) { *st = attest.Statement{} }, "_type"},
		"a statement of an old version":       {func(st *attest.Statement) { st.Type = attest.StatementV01 }, "is not signed here"},
		"no subject":                          {func(st *attest.Statement) { st.Subject = nil }, "subject"},
		"a subject without digest":            {func(st *attest.Statement) { st.Subject = []attest.Subject{{Name: "shop"}} }, "subject[0].digest"},
		"no predicate type":                   {func(st *attest.Statement) { st.PredicateType = "" }, "predicateType"},
		"no predicate":                        {func(st *attest.Statement) { st.Predicate = nil }, "predicate"},
		"a predicate that is not JSON":        {func(st *attest.Statement) { st.Predicate = []byte(`{"a":`) }, "canonical"},
		"a predicate that says a thing twice": {func(st *attest.Statement) { st.Predicate = []byte(`{"a":1,"a":2}`) }, "canonical"},
	} {
		t.Run(name, func(t *testing.T) {
			st := good
			c.change(&st)
			_, err := s.Sign(t.Context(), st)
			wantError(t, err, c.says)
		})
	}

	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sign(done, good); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

func TestRule30_ABundleHasTheShapeThatStockToolsRead(t *testing.T) {
	s := newSigner(t, "P-256")
	signed := signVSA(t, s, passedVSA(), subjects())

	block, _ := pem.Decode(s.PublicKeyPEM())
	spki := sha256.Sum256(block.Bytes)
	hint := base64.StdEncoding.EncodeToString(spki[:])
	want := `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",` +
		`"verificationMaterial":{"publicKey":{"hint":"` + hint + `"}},` +
		`"dsseEnvelope":{"payload":"` + base64.StdEncoding.EncodeToString(signed.Statement) + `",` +
		`"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"SIG","keyid":""}]}}`
	got := regexp.MustCompile(`"sig":"[A-Za-z0-9+/]+=*"`).ReplaceAll(signed.Bundle, []byte(`"sig":"SIG"`))
	if string(got) != want {
		t.Errorf("bundle is\n%s\nwant\n%s", got, want)
	}
	envelope, err := attest.BundleEnvelope(signed.Bundle)
	if err != nil || !bytes.Equal(envelope, signed.Envelope) {
		t.Errorf("the envelope inside the bundle is not the bare one: %v\n%s", err, envelope)
	}
	if s.Fingerprint() != "sha256:"+hex.EncodeToString(spki[:]) {
		t.Errorf("fingerprint is %s", s.Fingerprint())
	}
}

func TestSign_TheStatementIsCanonicalAndItsDigestFollows(t *testing.T) {
	s := newSigner(t, "Ed25519")
	about := []attest.Subject{{
		Name: "a<b>&c", URI: "pkg:generic/shop@1.4.0", MediaType: "application/json", DownloadLocation: "https://plimsoll.example/m",
		Digest: map[string]string{"sha512": strings.Repeat("0a", 64), "sha256": sha256Hex},
	}}
	st, err := attest.NewStatement(about, attest.PredicateManifest, map[string]any{"z": 1.0, "a": "<&>"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Sign(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":"<&>","z":1},` +
		`"predicateType":"https://plimsoll.dev/attestations/manifest/v1","subject":[{"digest":{"sha256":"` + sha256Hex + `","sha512":"` + strings.Repeat("0a", 64) + `"},` +
		`"downloadLocation":"https://plimsoll.example/m","mediaType":"application/json","name":"a<b>&c","uri":"pkg:generic/shop@1.4.0"}]}`
	if string(first.Statement) != want {
		t.Errorf("statement is\n%s\nwant\n%s", first.Statement, want)
	}
	sum := sha256.Sum256(first.Statement)
	if first.Digest != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("digest is %s", first.Digest)
	}
	again, err := s.Sign(t.Context(), st)
	if err != nil || !bytes.Equal(again.Bundle, first.Bundle) { // Ed25519 signs without a random number
		t.Errorf("the same statement gives another bundle: %v\n%s", err, again.Bundle)
	}
	env := parseEnvelope(t, first.Envelope)
	if env.PayloadType != attest.PayloadType || !bytes.Equal(env.Payload, first.Statement) || env.Signatures[0].KeyID != "" {
		t.Errorf("envelope reads as %+v", env)
	}
	back, err := attest.ParseStatement(env.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Subject[0]; got.Name != about[0].Name || got.URI != about[0].URI || got.MediaType != about[0].MediaType ||
		got.DownloadLocation != about[0].DownloadLocation || len(got.Digest) != 2 {
		t.Errorf("subject reads as %+v", got)
	}
}
