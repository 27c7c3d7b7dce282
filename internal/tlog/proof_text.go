package tlog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// proofHead is the first line of a proof, which says in which form the others are.
const proofHead = "c2sp.org/tlog-proof@v1"

const (
	// maxProof is the length in bytes of the longest proof that is read; its checkpoint is most of it.
	maxProof = 1 << 20
	// maxExtra is the length of the longest extra data.
	maxExtra = 1 << 16
	// maxHashes is how many hashes the proof of a leaf has in the largest tree.
	maxHashes = 63
)

// Proof is that a leaf is in the tree of a checkpoint, as a file (C2SP tlog-proof).
type Proof struct {
	// Extra is what the application wants to keep beside it; nil for nothing.
	Extra []byte
	// Index is the place of the leaf.
	Index int64
	// Hashes are those that make the root of the leaf's hash, the lowest first.
	Hashes []Hash
	// Checkpoint is the signed note of the tree.
	Checkpoint []byte
}

// Text writes the proof.
func (p Proof) Text() []byte {
	var b bytes.Buffer
	b.WriteString(proofHead + "\n")
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// ParseProof reads what Text writes, and nothing that it would write otherwise. It checks the form alone: see Includes, and
// the signature of the checkpoint.
func ParseProof(text []byte) (Proof, error) {
	var p Proof
	if len(text) > maxProof {
		return p, fmt.Errorf("a proof of %d bytes is longer than any", len(text))
	}
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	if !found || len(checkpoint) == 0 {
		return p, errors.New("no empty line with a checkpoint below it")
	}
	lines := bytes.Split(head, []byte("\n"))
	if string(lines[0]) != proofHead {
		return p, errors.New("the first line is not " + proofHead)
	}
	lines = lines[1:]
	var err error
	if len(lines) > 0 && bytes.HasPrefix(lines[0], []byte("extra ")) {
		if p.Extra, err = parseExtra(lines[0][len("extra "):]); err != nil {
			return Proof{}, err
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !bytes.HasPrefix(lines[0], []byte("index ")) {
		return Proof{}, errors.New("no line with the index")
	}
	index := string(lines[0][len("index "):])
	if p.Index, err = strconv.ParseInt(index, 10, 64); err != nil || p.Index < 0 || strconv.FormatInt(p.Index, 10) != index {
		return Proof{}, errors.New("the index is not a number of a leaf")
	}
	if len(lines)-1 > maxHashes {
		return Proof{}, fmt.Errorf("%d hashes are more than a proof has", len(lines)-1)
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(string(line))
		if err != nil || h.String() != string(line) {
			return Proof{}, errors.New("a line is not a hash")
		}
		p.Hashes = append(p.Hashes, h)
	}
	p.Checkpoint = bytes.Clone(checkpoint)
	return p, nil
}

func parseExtra(text []byte) ([]byte, error) {
	extra, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(extra) == 0 || len(extra) > maxExtra || base64.StdEncoding.EncodeToString(extra) != string(text) {
		return nil, errors.New("the extra line is not base64")
	}
	return extra, nil
}

// Includes fails unless the hashes make the root of the tree out of the leaf's hash.
func (p Proof) Includes(leaf Hash, t Tree) error {
	if p.Index < 0 || p.Index >= t.Size {
		return fmt.Errorf("a tree of %d leaves has no leaf %d", t.Size, p.Index)
	}
	if err := tlog.CheckRecord(tlog.RecordProof(p.Hashes), t.Size, t.Root, p.Index, leaf); err != nil {
		return fmt.Errorf("leaf %d is not in the tree of %d: %w", p.Index, t.Size, err)
	}
	return nil
}
