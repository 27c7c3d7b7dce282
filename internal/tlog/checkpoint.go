package tlog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Signer signs checkpoints of one log.
type Signer struct {
	signer note.Signer
	key    string
	verify note.Verifier
}

// Origin names the log: the first line of every checkpoint, and the name of the key.
func (s *Signer) Origin() string { return s.signer.Name() }

// Key is what verifies the checkpoints, as signed notes write keys: "origin+hash+key".
func (s *Signer) Key() string { return s.key }

// Sign makes the checkpoint of a tree (C2SP tlog-checkpoint).
func (s *Signer) Sign(t Tree) ([]byte, error) {
	text := s.Origin() + "\n" + strconv.FormatInt(t.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(t.Root[:]) + "\n"
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of %d leaves: %w", t.Size, err)
	}
	return signed, nil
}

// Open verifies a checkpoint that Sign made, and returns its tree.
func (s *Signer) Open(checkpoint []byte) (Tree, error) {
	opened, err := note.Open(checkpoint, note.VerifierList(s.verify))
	if err != nil {
		return Tree{}, fmt.Errorf("the checkpoint does not verify with the key %s: %w", s.key, err)
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
