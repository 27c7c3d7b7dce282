package attest

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"

	// The key services that are built in: each enters itself in the table of kms.
	_ "github.com/sigstore/sigstore/pkg/signature/kms/aws"
	_ "github.com/sigstore/sigstore/pkg/signature/kms/hashivault"
)

// OpenSigner opens the signing key that a reference names:
//
//   - hashivault://NAME (openbao://NAME): a key of a transit engine, found by VAULT_ADDR and VAULT_TOKEN
//   - awskms://[ENDPOINT]/ID: a key of AWS KMS, with the credentials that its tools use
//   - OTHER://…: the program sigstore-kms-OTHER on the PATH, as cosign uses it
//   - anything else: a file with a private key in PEM; password opens one that cosign encrypted
//
// It makes one signature to see that the key works (see NewSigner).
func OpenSigner(ctx context.Context, ref string, password []byte) (*Signer, error) {
	if strings.Contains(ref, "://") {
		return openService(ctx, ref)
	}
	f, err := os.Open(filepath.Clean(ref))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "ENCRYPTED SIGSTORE PRIVATE KEY" && block.Type != "ENCRYPTED COSIGN PRIVATE KEY" {
		return LoadSigner(ref)
	}
	if len(password) == 0 {
		return nil, fmt.Errorf("signing key: %s is encrypted: give its password in COSIGN_PASSWORD", ref)
	}
	der, err := encrypted.Decrypt(block.Bytes, password)
	if err != nil {
		return nil, fmt.Errorf("signing key: %s cannot be decrypted: is the password in COSIGN_PASSWORD right?", ref)
	}
	key, err := parsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		return nil, fmt.Errorf("signing key: %s: %w", ref, err)
	}
	below, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing key: %s: %w", ref, err)
	}
	return NewSigner(below)
}

// openService opens a key in a key service. The private half stays there: each signature is a request.
func openService(ctx context.Context, ref string) (*Signer, error) {
	service, err := kms.Get(ctx, ref, crypto.SHA256)
	if _, unknown := errors.AsType[*kms.ProviderNotFoundError](err); unknown {
		return nil, fmt.Errorf("signing key: no key service goes by %s, and there is no program for it on the PATH", scheme(ref))
	}
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	key, err := service.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("signing key: read its public half: %w", err)
	}
	if _, whole := key.(ed25519.PublicKey); whole {
		// Ed25519 hashes the message itself.
		if service, err = kms.Get(ctx, ref, crypto.Hash(0)); err != nil {
			return nil, fmt.Errorf("signing key: %w", err)
		}
	}
	return NewSigner(service)
}

// scheme is the reference up to "://": what stands behind may be private.
func scheme(ref string) string { return ref[:strings.Index(ref, "://")+len("://")] }
