package tlog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Signer signs checkpoints of one log, with one key or, while the key is replaced, with several at once.
type Signer struct {
	origin  string
	signers []note.Signer
	keys    []string // those that sign and those that only verify, as the key file has them
	known   note.Verifiers
}

// Origin names the log: the first line of every checkpoint, and the name of its keys.
func (s *Signer) Origin() string { return s.origin }

// Keys are what verifies the checkpoints, as signed notes write keys: "origin+hash+key". The first signs, and is the newest;
// each of them verified checkpoints at some time.
func (s *Signer) Keys() []string { return s.keys }

// Sign makes the checkpoint of a tree (C2SP tlog-checkpoint), with a signature by every private key.
func (s *Signer) Sign(t Tree) ([]byte, error) {
	text := s.Origin() + "\n" + strconv.FormatInt(t.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(t.Root[:]) + "\n"
	signed, err := note.Sign(&note.Note{Text: text}, s.signers...)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of %d leaves: %w", t.Size, err)
	}
	return signed, nil
}

// Open verifies a checkpoint that Sign made with at least one of the keys, and returns its tree.
func (s *Signer) Open(checkpoint []byte) (Tree, error) {
	opened, err := note.Open(checkpoint, s.known)
	if err != nil {
		return Tree{}, fmt.Errorf("the checkpoint does not verify with the key %s: %w", strings.Join(s.keys, " or "), err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != s.Origin() {
		return Tree{}, fmt.Errorf("the checkpoint is not of the log %s", s.Origin())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Tree{}, fmt.Errorf("%q is not the size of a tree", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Tree{}, fmt.Errorf("read the root of the checkpoint: %w", err)
	}
	return Tree{Size: size, Root: root}, nil
}
