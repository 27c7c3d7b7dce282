package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/plimsoll/plimsoll/internal/tlog"
)

// cosigner is a witness.
type cosigner struct {
	name string
	hash []byte
	key  string
	sign ed25519.PrivateKey
}

func newCosigner(t *testing.T, name string) cosigner {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := append([]byte{4}, public...)
	sum := sha256.Sum256([]byte(name + "\n" + string(key)))
	return cosigner{name, sum[:4], fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(key)), private}
}

// cosign adds a line to a checkpoint, as C2SP tlog-cosignature says.
func (c cosigner) cosign(checkpoint []byte, at uint64) []byte {
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	sig := ed25519.Sign(c.sign, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, text))
	line := append(binary.BigEndian.AppendUint64(bytes.Clone(c.hash), at), sig...)
	return fmt.Appendf(bytes.Clone(checkpoint), "— %s %s\n", c.name, base64.StdEncoding.EncodeToString(line))
}

func TestRule41_ACheckpointOpensWithTheKeysOfItsLogAndWitnesses(t *testing.T) {
	signer, _, err := tlog.LoadOrCreateSigner(filepath.Join(t.TempDir(), "log.key"), "log.example.test")
	if err != nil {
		t.Fatal(err)
	}
	tree := tlog.Tree{Size: 7, Root: leafAt(1)}
	signed, err := signer.Sign(tree)
	if err != nil {
		t.Fatal(err)
	}
	one, two := newCosigner(t, "one.example.test"), newCosigner(t, "two.example.test")
	both := two.cosign(one.cosign(signed, 1_700_000_000), 1_700_000_001)
	log := signer.Keys()[0]
	for name, c := range map[string]struct {
		note []byte
		keys []string
		want int // witnesses, or -1 when it does not open
	}{
		"the log alone":               {signed, []string{log}, 0},
		"a key given twice":           {signed, []string{log, log}, 0},
		"witnesses that nobody knows": {both, []string{log}, 0},
		"one that is known":           {both, []string{log, two.key}, 1},
		"two":                         {both, []string{one.key, log, two.key}, 2},
		"a witness that did not sign": {one.cosign(signed, 1), []string{log, one.key, two.key}, 1},
		"no key of the log":           {both, []string{one.key, two.key}, -1},
		"no keys":                     {both, nil, -1},
		"another time": {
			bytes.Replace(one.cosign(signed, 1), one.cosign(signed, 1)[len(signed):], one.forged(signed), 1), []string{log, one.key}, -1,
		},
		"another size":  {bytes.Replace(both, []byte("\n7\n"), []byte("\n8\n"), 1), []string{log, one.key}, -1},
		"no note":       {[]byte("log.example.test\n7\n"), []string{log}, -1},
		"a key cut off": {signed, []string{log[:len(log)-4]}, -1},
		"another hash":  {both, []string{log, strings.Replace(one.key, fmt.Sprintf("%x", one.hash), "00000000", 1)}, -1},
		"no key at all": {signed, []string{log, "no key"}, -1},
		"nothing":       {nil, []string{log}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tlog.OpenCheckpoint(c.note, c.keys)
			if c.want < 0 {
				if err == nil {
					t.Errorf("it opens as %+v", got)
				}
				return
			}
			if err != nil || got.Tree != tree || got.Origin != "log.example.test" || len(got.Witnesses) != c.want {
				t.Errorf("it opens as %+v (%v)", got, err)
			}
		})
	}
	got, err := tlog.OpenCheckpoint(signed, []string{log, "ml.example.test+00000000+Bg=="})
	if err != nil || len(got.Unread) != 1 || got.Unread[0] != "ml.example.test" {
		t.Errorf("with a key of another kind it opens as %+v (%v)", got, err)
	}
}

// forged is a line whose time is another than the one that was signed.
func (c cosigner) forged(checkpoint []byte) []byte {
	line := c.cosign(checkpoint, 1)[len(checkpoint):]
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(string(line), "— "+c.name+" ")))
	raw[11]++
	return fmt.Appendf(nil, "— %s %s\n", c.name, base64.StdEncoding.EncodeToString(raw))
}

// TestRule41_ALogDoesNotSpeakForAnother: the first line of a checkpoint is whose it is, whoever signed it.
func TestRule41_ALogDoesNotSpeakForAnother(t *testing.T) {
	private, public, err := note.GenerateKey(rand.Reader, "log.example.test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	for text, opens := range map[string]bool{
		"log.example.test\n1\n" + leafAt(1).String() + "\n":        true,
		"log.example.test\n1\n" + leafAt(1).String() + "\nmore\n":  true,
		"log.example.org\n1\n" + leafAt(1).String() + "\n":         false,
		"log.example.test\n01\n" + leafAt(1).String() + "\n":       false,
		"log.example.test\n-1\n" + leafAt(1).String() + "\n":       false,
		"log.example.test\n1\n" + leafAt(1).String()[:40] + "\n":   false,
		"log.example.test\n99999999999999999999\n" + "AAAA" + "\n": false,
		"log.example.test\n1\n":                                    false,
	} {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tlog.OpenCheckpoint(signed, []string{public}); (err == nil) != opens {
			t.Errorf("%q opens as %+v (%v)", text, got, err)
		}
	}
}
