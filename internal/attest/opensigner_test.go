package attest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// vault is a transit engine of HashiCorp Vault with one key, as far as signing needs it.
type vault struct {
	name   string
	signer crypto.Signer
	asked  []string
}

func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.asked = append(v.asked, r.Method+" "+r.URL.Path)
	if r.Header.Get("X-Vault-Token") != "the-token-of-the-vault" {
		http.Error(w, `{"errors":["permission denied"]}`, http.StatusForbidden)
		return
	}
	answer := func(data map[string]any) { json.NewEncoder(w).Encode(map[string]any{"data": data}) }
	if r.URL.Path == "/v1/transit/keys/"+v.name {
		kind, public := "P-256", ""
		if key, ok := v.signer.Public().(ed25519.PublicKey); ok {
			kind, public = "ed25519", base64.StdEncoding.EncodeToString(key)
		} else {
			der, _ := x509.MarshalPKIXPublicKey(v.signer.Public())
			public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		}
		answer(map[string]any{"latest_version": 1, "keys": map[string]any{"1": map[string]any{"name": kind, "public_key": public}}})
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/v1/transit/sign/"+v.name) {
		http.Error(w, `{"errors":[]}`, http.StatusNotFound)
		return
	}
	var request struct {
		Input     []byte `json:"input"`
		Prehashed bool   `json:"prehashed"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, `{"errors":["malformed"]}`, http.StatusBadRequest)
		return
	}
	hash := crypto.Hash(0)
	if request.Prehashed {
		hash = crypto.SHA256
	}
	sig, err := v.signer.Sign(rand.Reader, request.Input, hash)
	if err != nil {
		http.Error(w, `{"errors":["cannot sign that"]}`, http.StatusBadRequest)
		return
	}
	answer(map[string]any{"signature": "vault:v1:" + base64.StdEncoding.EncodeToString(sig)})
}

func TestAKeyServiceSigns(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"P-256": p256, "Ed25519": edwards} {
		t.Run(name, func(t *testing.T) {
			v := &vault{name: "release", signer: key}
			server := httptest.NewServer(v)
			defer server.Close()
			t.Setenv("VAULT_ADDR", server.URL)
			t.Setenv("VAULT_TOKEN", "the-token-of-the-vault")
			signer, err := attest.OpenSigner(t.Context(), "hashivault://release", nil)
			if err != nil {
				t.Fatal(err)
			}
			mustVerify(t, signer)
			if len(v.asked) < 3 {
				t.Errorf("the service was asked for %v alone", v.asked)
			}
		})
	}
}

// mustVerify signs a statement and verifies it with the signer's public key.
func mustVerify(t *testing.T, signer *attest.Signer) {
	t.Helper()
	st, err := attest.NewStatement(
		[]attest.Subject{{Name: "it", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}}}, "https://example.test/v1", map[string]any{},
	)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	env, err := attest.ParseEnvelope(signed.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	public, err := attest.ParsePublicKey(signer.PublicKeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "it", Key: public}})
	if err != nil || verdict.Alias != "it" {
		t.Errorf("the signature does not verify: %+v %v", verdict, err)
	}
}

func TestAKeyThatCannotBeOpenedIsASentence(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&vault{name: "release", signer: p256})
	defer server.Close()
	t.Setenv("VAULT_ADDR", server.URL)
	for name, c := range map[string]struct{ ref, token, want string }{
		"a service that refuses":        {"hashivault://release", "another-token", "public half"},
		"a key that is not there":       {"hashivault://other", "the-token-of-the-vault", "public half"},
		"a service that nobody has":     {"nowhere://release", "", "no key service goes by nowhere://"},
		"a file that is not there":      {filepath.Join(t.TempDir(), "none.key"), "", "no such file"},
		"a reference with no more than": {"://", "", "no key service"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("VAULT_TOKEN", c.token)
			_, err := attest.OpenSigner(t.Context(), c.ref, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || c.token != "" && strings.Contains(err.Error(), c.token) {
				t.Errorf("said %v, want something with %q", err, c.want)
			}
		})
	}
}

func TestAKeyThatCosignEncryptedOpensWithItsPassword(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := encrypted.Encrypt(der, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cosign.key")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: sealed}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "battery staple"} {
		if _, err := attest.OpenSigner(t.Context(), path, []byte(wrong)); err == nil || !strings.Contains(err.Error(), "COSIGN_PASSWORD") {
			t.Errorf("with the password %q: %v", wrong, err)
		}
	}
	signer, err := attest.OpenSigner(t.Context(), path, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	mustVerify(t, signer)
	plain := filepath.Join(t.TempDir(), "plain.key")
	if err := os.WriteFile(plain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if signer, err = attest.OpenSigner(t.Context(), plain, nil); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, signer)
}
