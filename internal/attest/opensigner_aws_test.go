package attest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// awsKMS is AWS KMS with one key, as far as signing needs it.
type awsKMS struct{ key *ecdsa.PrivateKey }

func (s awsKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	var request struct {
		KeyID                         string `json:"KeyId"`
		MessageType, SigningAlgorithm string
		Message                       []byte
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.KeyID != "alias/release" {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"__type": "NotFoundException", "message": "there is no such key"})
		return
	}
	var answer map[string]any
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.GetPublicKey":
		der, _ := x509.MarshalPKIXPublicKey(s.key.Public())
		answer = map[string]any{"PublicKey": der}
	case "TrentService.DescribeKey":
		answer = map[string]any{"KeyMetadata": map[string]any{"KeyId": request.KeyID, "SigningAlgorithms": []string{"ECDSA_SHA_256"}}}
	case "TrentService.Sign":
		sig, err := s.key.Sign(rand.Reader, request.Message, crypto.SHA256)
		if err != nil || request.MessageType != "DIGEST" || request.SigningAlgorithm != "ECDSA_SHA_256" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer = map[string]any{"Signature": sig}
	}
	json.NewEncoder(w).Encode(answer)
}

func TestAKeyInAWSSigns(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(awsKMS{key})
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "here", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CA_BUNDLE": authority,
	} {
		t.Setenv(name, value)
	}
	host := strings.TrimPrefix(server.URL, "https://")
	signer, err := attest.OpenSigner(t.Context(), "awskms://"+host+"/alias/release", nil)
	if err != nil {
		t.Fatal(err)
	}
	mustVerify(t, signer)
	if _, err := attest.OpenSigner(t.Context(), "awskms://"+host+"/alias/other", nil); err == nil || !strings.Contains(err.Error(), "no such key") {
		t.Errorf("a key that is not there: %v", err)
	}
	if _, err := attest.OpenSigner(t.Context(), "awskms://nonsense", nil); err == nil || !strings.Contains(err.Error(), "format") {
		t.Errorf("a reference that is none: %v", err)
	}
}
