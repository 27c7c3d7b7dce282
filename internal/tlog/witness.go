package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxWitnessFile is how many bytes of a file of witnesses are read.
const maxWitnessFile = 64 << 10

// Witness cosigns checkpoints after a look at the log: that it only ever became longer (C2SP tlog-witness).
type Witness struct {
	// Name is that of its key.
	Name string
	// URL is where checkpoints are sent.
	URL      string
	verifier note.Verifier
}

// LoadWitnesses reads a file with a witness a line: its key as signed notes write it, a space, and the prefix of its URL.
// Empty lines and those that begin with # are skipped.
func LoadWitnesses(path string) ([]Witness, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("log witnesses: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxWitnessFile+1))
	if err != nil {
		return nil, fmt.Errorf("log witnesses: %w", err)
	}
	if len(b) > maxWitnessFile {
		return nil, fmt.Errorf("log witnesses: %s has more than %d bytes", path, maxWitnessFile)
	}
	var list []Witness
	seen := map[string]bool{}
	for at, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w, err := parseWitness(line)
		if err == nil && seen[w.Name] {
			err = fmt.Errorf("the witness %s stands there twice", w.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("log witnesses: %s, line %d: %w", path, at+1, err)
		}
		seen[w.Name] = true
		list = append(list, w)
	}
	return list, nil
}

func parseWitness(line string) (Witness, error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return Witness{}, errors.New("want NAME+HASH+KEY and a URL, with a space between")
	}
	verifier, err := witnessKey(fields[0])
	if err != nil {
		return Witness{}, err
	}
	u, err := url.Parse(fields[1])
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Witness{}, fmt.Errorf("the URL of %s has to begin with https:// or http:// and to have no user, query or fragment", verifier.Name())
	}
	return Witness{Name: verifier.Name(), URL: strings.TrimSuffix(u.String(), "/") + "/add-checkpoint", verifier: verifier}, nil
}

// witnessKey reads the key of a witness. Many publish it in the form of a key that signs notes: it is the same key, and what
// it signs is told by another algorithm.
func witnessKey(key string) (note.Verifier, error) {
	v, ofNotes, err := parseKey(key)
	if err != nil || !ofNotes {
		return v, err
	}
	raw, err := base64.StdEncoding.DecodeString(key[len(v.Name())+len("+01234567+"):])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, errors.New("not a key as signed notes write it: NAME+HASH+KEY")
	}
	raw[0] = signsTimes
	sum := sha256.Sum256([]byte(v.Name() + "\n" + string(raw)))
	return witness{name: v.Name(), hash: binary.BigEndian.Uint32(sum[:4]), key: raw[1:]}, nil
}

// WitnessRequest is what a witness is sent: the checkpoint, and the proof that it goes on from the one of the old size.
func WitnessRequest(old int64, proof []Hash, checkpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n")
	b.Write(checkpoint)
	return b.Bytes()
}

// Cosignature finds the witness's signature of a checkpoint in its answer, and verifies it. It returns its line of the note.
func (w Witness) Cosignature(checkpoint, answer []byte) (string, error) {
	// What other keys signed is of no use, and neither is a signature that the log made itself.
	text, _, ok := bytes.Cut(checkpoint, []byte("\n\n"))
	if !ok {
		return "", errors.New("the checkpoint has no signature")
	}
	signed := append(append(bytes.Clone(text), "\n\n"...), answer...)
	opened, err := note.Open(signed, note.VerifierList(w.verifier))
	if err != nil {
		return "", fmt.Errorf("the answer of witness %s is not its signature: %w", w.Name, err)
	}
	return "— " + w.Name + " " + opened.Sigs[0].Base64 + "\n", nil
}
