package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sigstore/sigstore/pkg/signature"
)

// maxKeyFile is how many bytes of a key file are read; a key of the kinds supported has a few hundred.
const maxKeyFile = 64 << 10

// LoadSigner reads an unencrypted private key in PEM (PKCS #8, or SEC 1 as openssl writes it), P-256 or Ed25519 only (see
// NewSigner). It does not look at the file's mode: a key that is mounted into a container often has a wide one.
func LoadSigner(pemPath string) (*Signer, error) {
	f, err := os.Open(filepath.Clean(pemPath))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	return readSigner(f)
}

// LoadOrCreateSigner reads the key file at path, or makes a P-256 key there when there is none; created tells which. The
// file appears whole or not at all, with mode 0600, and a second caller at the same time gets the first one's key. A key
// file that its group or others may read is refused. The folder must exist.
func LoadOrCreateSigner(path string) (s *Signer, created bool, err error) {
	s, err = loadPrivate(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, false, err
	}
	created, err = createKey(path)
	if err != nil {
		return nil, false, fmt.Errorf("signing key: create %s: %w", path, err)
	}
	s, err = loadPrivate(path)
	if err != nil {
		return nil, false, err
	}
	return s, created, nil
}

// loadPrivate is LoadSigner for a file that must be its owner's alone. The mode is that of the file opened, so it cannot
// be another file's.
func loadPrivate(path string) (*Signer, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("signing key: %s has mode %04o, so others can read it; run chmod 600 on it, or replace it if others did", path, mode)
	}
	return readSigner(f)
}

func readSigner(f *os.File) (*Signer, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("signing key: %s is not a file", f.Name())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	key, err := parsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("signing key: %s: %w", f.Name(), err)
	}
	below, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing key: %s: %w", f.Name(), err)
	}
	return NewSigner(below)
}

func parsePrivateKey(b []byte) (crypto.PrivateKey, error) {
	block, rest := pem.Decode(b)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam -genkey writes this block first
		block, _ = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("not PEM; expected a block that begins with -----BEGIN PRIVATE KEY-----")
	}
	if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key is encrypted; give it unencrypted, in a file that only the server may read")
	}
	switch block.Type {
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("not a PKCS #8 key: %w", err)
		}
		return key, nil
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("not an EC key: %w", err)
		}
		return key, nil
	case "RSA PRIVATE KEY":
		return nil, errors.New("RSA is not supported; use P-256 or Ed25519")
	}
	return nil, fmt.Errorf("a PEM block of type %q is no private key", clip(block.Type))
}

// createKey writes a new key beside path and links it there. A link fails where a rename would replace, so of two that
// start at once neither signs with a key that is then lost; it reports false when another was first.
func createKey(path string) (created bool, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return false, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return false, err
	}
	dir := filepath.Dir(path)
	temp, err := writeTemp(dir, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		return false, err
	}
	err = os.Link(temp, path)
	if removed := os.Remove(temp); err == nil {
		err = removed
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, syncDir(dir)
}

// writeTemp writes a new file (O_EXCL, mode 0600) that is on the disk when it returns.
func writeTemp(dir string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, ".signing-key-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncDir makes the new name in a folder durable: the key must not be gone after a power cut when it has signed.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}
