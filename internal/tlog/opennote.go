package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Algorithms of keys, the first byte of each (C2SP signed-note).
const (
	signsNotes = 0x01 // Ed25519, of logs
	signsTimes = 0x04 // Ed25519 over the time as well, of witnesses (C2SP tlog-cosignature)
)

// errKeyKind is of a key whose signatures cannot be checked here.
var errKeyKind = errors.New("a key of another kind than Ed25519")

// Opened is a checkpoint whose signatures were verified.
type Opened struct {
	Tree
	Origin string
	// Witnesses are the names of the witnesses that cosigned, of those whose keys are known.
	Witnesses []string
	// Unread are the names of the keys of a kind that cannot be looked at here, whose signatures were passed over.
	Unread []string
}

// OpenCheckpoint verifies a checkpoint with keys as signed notes write them, "name+hash+key": those of the log, of which one
// must have signed, and those of its witnesses. A signature that a known key did not make is an error; one by an unknown key is
// not looked at.
func OpenCheckpoint(checkpoint []byte, keys []string) (Opened, error) {
	var known []note.Verifier
	var unread []string
	logs := map[string]bool{} // name and hash of the keys of logs
	for _, key := range keys {
		v, log, err := parseKey(key)
		if errors.Is(err, errKeyKind) {
			name, _, _ := strings.Cut(key, "+")
			unread = append(unread, name)
			continue
		}
		if err != nil {
			return Opened{}, err
		}
		if _, twice := logs[id(v)]; twice {
			continue
		}
		known, logs[id(v)] = append(known, v), log
	}
	opened, err := note.Open(checkpoint, note.VerifierList(known...))
	if err != nil {
		return Opened{}, fmt.Errorf("the checkpoint does not verify with the keys: %w", err)
	}
	tree, origin, err := readTree(opened.Text)
	if err != nil {
		return Opened{}, err
	}
	out, signed := Opened{Tree: tree, Origin: origin, Unread: unread}, false
	for _, s := range opened.Sigs {
		if !logs[fmt.Sprint(s.Name, "+", s.Hash)] {
			out.Witnesses = append(out.Witnesses, s.Name)
		} else if s.Name == origin {
			signed = true
		}
	}
	if !signed {
		return Opened{}, fmt.Errorf("no key of the log %q signed the checkpoint", origin)
	}
	return out, nil
}

func id(v note.Verifier) string { return fmt.Sprint(v.Name(), "+", v.KeyHash()) }

// readTree reads the text of a checkpoint.
func readTree(text string) (Tree, string, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return Tree{}, "", errors.New("the checkpoint has fewer than three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Tree{}, "", errors.New("the second line of the checkpoint is not the size of a tree")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Tree{}, "", fmt.Errorf("read the root of the checkpoint: %w", err)
	}
	return Tree{Size: size, Root: root}, lines[0], nil
}

// parseKey reads a key, and tells whether it is one of a log.
func parseKey(key string) (v note.Verifier, log bool, err error) {
	name, rest, _ := strings.Cut(key, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 {
		return nil, false, errors.New("not a key as signed notes write it: NAME+HASH+KEY")
	}
	switch raw[0] {
	case signsNotes:
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, false, fmt.Errorf("the key of %q: %w", name, err)
		}
		return v, true, nil
	case signsTimes:
		sum := sha256.Sum256([]byte(name + "\n" + string(raw)))
		hash := binary.BigEndian.Uint32(sum[:4])
		if len(raw) != 1+ed25519.PublicKeySize || name == "" || rest != fmt.Sprintf("%08x+%s", hash, encoded) {
			return nil, false, fmt.Errorf("the key of %q is no Ed25519 key with its hash", name)
		}
		return witness{name: name, hash: hash, key: raw[1:]}, false, nil
	}
	return nil, false, fmt.Errorf("the key of %q: %w", name, errKeyKind)
}

// witness verifies cosignatures: of the time and the note (C2SP tlog-cosignature).
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// Name implements note.Verifier.
func (w witness) Name() string { return w.name }

// KeyHash implements note.Verifier.
func (w witness) KeyHash() uint32 { return w.hash }

// Verify implements note.Verifier.
func (w witness) Verify(text, sig []byte) bool {
	const stamp = 8
	if len(sig) != stamp+ed25519.SignatureSize {
		return false
	}
	var message bytes.Buffer
	fmt.Fprintf(&message, "cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	message.Write(text)
	return ed25519.Verify(w.key, message.Bytes(), sig[stamp:])
}
