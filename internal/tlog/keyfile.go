package tlog

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxKeyFile is how many bytes of a key file are read.
const maxKeyFile = 4 << 10

// LoadSigner reads a private key in the form of signed notes: "PRIVATE+KEY+origin+hash+key". The key must be that of the
// log with this origin.
func LoadSigner(path, origin string) (*Signer, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	text := strings.TrimSpace(string(b))
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, fmt.Errorf("log key: %s: want PRIVATE+KEY+NAME+HASH+KEY, as signed notes write keys", path)
	}
	if signer.Name() != origin {
		return nil, fmt.Errorf("log key: %s is of the log %q, not of %q: give the log its origin, or another key", path, signer.Name(), origin)
	}
	// The form that NewSigner takes has an Ed25519 seed behind the fourth plus, after a byte that tells the algorithm. The
	// seed may have a plus itself.
	parts := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, fmt.Errorf("log key: %s holds no Ed25519 key", path)
	}
	public := ed25519.NewKeyFromSeed(raw[1:])[ed25519.SeedSize:]
	key, err := note.NewEd25519VerifierKey(origin, ed25519.PublicKey(public))
	if err != nil {
		return nil, fmt.Errorf("log key: %s: %w", path, err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("log key: %s: %w", path, err)
	}
	return &Signer{signer: signer, key: key, verify: verifier}, nil
}

// LoadOrCreateSigner reads the key file at path, or makes an Ed25519 key there when there is none; created tells which.
// The file appears whole or not at all, with mode 0600, and a second caller at the same time gets the first one's key. A
// key file that its group or others may read is refused. The folder must exist.
func LoadOrCreateSigner(path, origin string) (s *Signer, created bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if created, err = createKey(path, origin); err == nil {
			info, err = os.Stat(path)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("log key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, false, fmt.Errorf("log key: %s has mode %04o, so others can read it; run chmod 600 on it, or replace it if others did", path, mode)
	}
	s, err = LoadSigner(path, origin)
	return s, created, err
}

// createKey writes a new key beside path and links it there. A link fails where a rename would replace, so of two that
// start at once neither signs with a key that is then lost; it reports false when another was first.
func createKey(path, origin string) (created bool, err error) {
	private, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return false, err
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".log-key-*") // with mode 0600
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(private + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(f.Name(), path)
	}
	removed := os.Remove(f.Name())
	if errors.Is(err, fs.ErrExist) {
		return false, removed
	}
	if err = errors.Join(err, removed); err != nil {
		return false, err
	}
	// The key must not be gone after a power cut when it has signed.
	d, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return false, err
	}
	return true, errors.Join(d.Sync(), d.Close())
}
