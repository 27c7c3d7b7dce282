package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func TestLoadOrCreateSigner_MakesTheKeyOnceAndForItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signing.pem")
	first, created, err := attest.LoadOrCreateSigner(path)
	if err != nil || !created {
		t.Fatalf("first: created %v, %v", created, err)
	}
	second, created, err := attest.LoadOrCreateSigner(path)
	if err != nil || created {
		t.Fatalf("second: created %v, %v", created, err)
	}
	loaded, err := attest.LoadSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	if first.Fingerprint() != second.Fingerprint() || first.Fingerprint() != loaded.Fingerprint() {
		t.Error("the same file gives different keys")
	}
	if got := first.PublicKey().Algorithm(); got != "ECDSA P-256" {
		t.Errorf("the key is %s", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestLoadOrCreateSigner_GivesOneKeyToAllWhoStartAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signing.pem")
	const callers = 8
	fingerprints := make([]string, callers)
	makers := make([]bool, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			s, created, err := attest.LoadOrCreateSigner(path)
			if err != nil {
				t.Error(err)
				return
			}
			fingerprints[i], makers[i] = s.Fingerprint(), created
		})
	}
	group.Wait()
	made := 0
	for i := range callers {
		if makers[i] {
			made++
		}
		if fingerprints[i] != fingerprints[0] {
			t.Errorf("caller %d has another key", i)
		}
	}
	if made != 1 {
		t.Errorf("%d callers made a key, want 1", made)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestLoadOrCreateSigner_RefusesAKeyThatOthersMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signing.pem")
	if _, _, err := attest.LoadOrCreateSigner(path); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o660, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := attest.LoadOrCreateSigner(path)
		wantError(t, err, "run chmod 600")
	}
	if _, err := attest.LoadSigner(path); err != nil {
		t.Errorf("a key that was put there by hand may have any mode: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key was touched: %v", err)
	}
}

func TestLoadOrCreateSigner_NeverReplacesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signing.pem")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, created, err := attest.LoadOrCreateSigner(path)
	wantError(t, err, "not PEM")
	if b, err := os.ReadFile(path); created || err != nil || len(b) != 0 {
		t.Errorf("an empty file became %q, %v", b, err)
	}
	_, _, err = attest.LoadOrCreateSigner(filepath.Join(dir, "no", "signing.pem"))
	wantError(t, err, "no such file or directory")
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err = attest.LoadOrCreateSigner(folder)
	wantError(t, err, "is not a file")
}

func TestLoadSigner_RefusesWhatIsNotAKeyItCanUse(t *testing.T) {
	dir := t.TempDir()
	p256 := privateKey(t, "P-256")
	block := func(kind string, headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: []byte("x")})
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"an empty file":                     {nil, "not PEM"},
		"a text":                            {[]byte("secret"), "not PEM"},
		"a public key":                      {publicPEM(t, p256), `"PUBLIC KEY" is no private key`},
		"a certificate":                     {block("CERTIFICATE", nil), `"CERTIFICATE" is no private key`},
		"an encrypted key":                  {block("ENCRYPTED PRIVATE KEY", nil), "is encrypted"},
		"an encrypted cosign key":           {block("ENCRYPTED SIGSTORE PRIVATE KEY", nil), "is encrypted"},
		"a key encrypted the old way":       {block("EC PRIVATE KEY", map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}), "is encrypted"},
		"a block that holds no key":         {block("PRIVATE KEY", nil), "not a PKCS #8 key"},
		"an EC block that holds no key":     {block("EC PRIVATE KEY", nil), "not an EC key"},
		"parameters without a key":          {block("EC PARAMETERS", nil), "not PEM"},
		"an RSA key":                        {privatePEM(t, privateKey(t, "RSA")), "use P-256 or Ed25519"},
		"an RSA key of the old kind":        {block("RSA PRIVATE KEY", nil), "RSA is not supported"},
		"a P-384 key":                       {privatePEM(t, privateKey(t, "P-384")), "cosign would not verify it"},
		"a key beyond the first 64 KiB":     {append(bytes.Repeat([]byte("\n"), 64<<10), privatePEM(t, p256)...), "not PEM"},
		"a key of which the end is missing": {privatePEM(t, p256)[:80], "not PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := attest.LoadSigner(path)
			wantError(t, err, c.says)
		})
	}
	_, err := attest.LoadSigner(filepath.Join(dir, "none"))
	wantError(t, err, "no such file")
	_, err = attest.LoadSigner(dir)
	wantError(t, err, "is not a file")
}

func TestLoadSigner_ReadsTheFormsThatOpensslWrites(t *testing.T) {
	key := privateKey(t, "P-256")
	ecKey, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatalf("the key is a %T", key)
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	ec := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 1, 0}})
	for name, content := range map[string][]byte{
		"PKCS #8": privatePEM(t, key), "SEC 1": ec, "SEC 1 behind its parameters": append(parameters, ec...),
		"PKCS #8 of Ed25519": privatePEM(t, privateKey(t, "Ed25519")),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := attest.LoadSigner(path)
			if err != nil {
				t.Fatal(err)
			}
			signed := signVSA(t, s, passedVSA(), subjects())
			v, err := attest.Verify(parseEnvelope(t, signed.Envelope), []attest.Candidate{{Alias: "server", Key: s.PublicKey()}})
			if err != nil || !v.Verified {
				t.Errorf("its signature: %+v, %v", v, err)
			}
		})
	}
}
