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
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxKeyFile is how many bytes of a key file are read.
const maxKeyFile = 16 << 10

// LoadSigner reads the keys of the log with this origin, one a line, in the form of signed notes. Every private key,
// "PRIVATE+KEY+origin+hash+key", signs; the others, "origin+hash+key", verify what was signed before. The first is a private
// one. Empty lines and those that begin with # are skipped.
func LoadSigner(path, origin string) (*Signer, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	if len(b) > maxKeyFile {
		return nil, fmt.Errorf("log key: %s has more than %d bytes", path, maxKeyFile)
	}
	s := &Signer{origin: origin}
	var known []note.Verifier
	for at, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verifier, err := s.add(line)
		if err != nil {
			return nil, fmt.Errorf("log key: %s, line %d: %w", path, at+1, err)
		}
		known = append(known, verifier)
	}
	if len(s.signers) == 0 {
		return nil, fmt.Errorf("log key: %s holds no private key", path)
	}
	s.known = note.VerifierList(known...)
	return s, nil
}

// add takes a key from its line. It never repeats the line.
func (s *Signer) add(line string) (note.Verifier, error) {
	key := line
	if strings.HasPrefix(line, "PRIVATE+") {
		signer, err := note.NewSigner(line)
		if err != nil {
			return nil, errors.New("want PRIVATE+KEY+NAME+HASH+KEY, as signed notes write keys")
		}
		if key, err = verifierKey(line, signer.Name()); err != nil {
			return nil, err
		}
		s.signers = append(s.signers, signer)
	}
	verifier, err := note.NewVerifier(key)
	switch {
	case err != nil:
		return nil, errors.New("want PRIVATE+KEY+NAME+HASH+KEY or NAME+HASH+KEY, as signed notes write keys")
	case verifier.Name() != s.origin:
		return nil, fmt.Errorf("the key is of the log %q, not of %q: give the log its origin, or another key", verifier.Name(), s.origin)
	case slices.Contains(s.keys, key):
		return nil, errors.New("the key stands there twice")
	case len(s.signers) == 0:
		return nil, errors.New("the first key has to be a private one: it is what signs")
	}
	s.keys = append(s.keys, key)
	return verifier, nil
}

// verifierKey is the public half of a private key that note.NewSigner took: it has an Ed25519 seed behind the fourth plus,
// after a byte that tells the algorithm. The seed may have a plus itself.
func verifierKey(private, name string) (string, error) {
	parts := strings.SplitN(private, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", errors.New("it is no Ed25519 key")
	}
	public := ed25519.NewKeyFromSeed(raw[1:])[ed25519.SeedSize:]
	return note.NewEd25519VerifierKey(name, ed25519.PublicKey(public))
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
