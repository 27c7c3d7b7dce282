package tlog_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/tlog"
)

// grown gives a tree of n leaves, and its tiles.
func grown(t testing.TB, n int) (tlog.Tree, tlog.Read) {
	t.Helper()
	b, err := tlog.NewBuilder(tlog.Tree{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := b.Append(tlog.LeafHash([]byte{byte(i), byte(i >> 8)})); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	filled, err := b.Tiles()
	if err != nil {
		t.Fatal(err)
	}
	return tree, func(tiles []tlog.Tile) ([][]byte, error) {
		out := make([][]byte, len(tiles))
		for i, want := range tiles {
			for _, f := range filled {
				if f.Level == want.Level && f.Position == want.Position && f.Width >= want.Width {
					out[i] = f.Hashes
				}
			}
		}
		return out, nil
	}
}

func TestRule41_AProofIsAFileThatIsReadBack(t *testing.T) {
	for _, size := range []int{1, 2, 7, 300} {
		tree, read := grown(t, size)
		for _, leaf := range []int{0, size / 2, size - 1} {
			hash, hashes, err := tlog.ProveInclusion(tree, int64(leaf), read)
			if err != nil {
				t.Fatal(err)
			}
			text := tlog.Proof{Index: int64(leaf), Hashes: hashes, Checkpoint: []byte("log\n1\nroot=\n\n— log sig\n")}.Text()
			p, err := tlog.ParseProof(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if err := p.Includes(hash, tree); err != nil {
				t.Errorf("leaf %d of %d: %v", leaf, size, err)
			}
			if p.Includes(tlog.LeafHash([]byte("another")), tree) == nil {
				t.Errorf("another leaf is at %d of %d, too", leaf, size)
			}
			p.Index++
			if p.Includes(hash, tree) == nil {
				t.Errorf("leaf %d of %d is one further, too", leaf, size)
			}
			if !bytes.Equal(p.Checkpoint, []byte("log\n1\nroot=\n\n— log sig\n")) {
				t.Errorf("the checkpoint is %q", p.Checkpoint)
			}
		}
	}
}

func TestRule41_WhatIsNoProofIsRefused(t *testing.T) {
	const hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	good := "c2sp.org/tlog-proof@v1\nextra AA==\nindex 5\n" + hash + "\n\nnote\n"
	if p, err := tlog.ParseProof([]byte(good)); err != nil || len(p.Hashes) != 1 || string(p.Extra) != "\x00" || string(p.Text()) != good {
		t.Fatalf("%+v, %v", p, err)
	}
	for what, text := range map[string]string{
		"nothing":             "",
		"another form":        strings.Replace(good, "@v1", "@v2", 1),
		"no checkpoint":       "c2sp.org/tlog-proof@v1\nindex 5\n\n",
		"no index":            strings.Replace(good, "index 5\n", "", 1),
		"an index with zeros": strings.Replace(good, "index 5", "index 05", 1),
		"an index with plus":  strings.Replace(good, "index 5", "index +5", 1),
		"an index below zero": strings.Replace(good, "index 5", "index -5", 1),
		"a short hash":        strings.Replace(good, hash, hash[4:], 1),
		"a hash with bits":    strings.Replace(good, hash, hash[:42]+"B=", 1),
		"too many hashes":     strings.Replace(good, hash, strings.TrimSpace(strings.Repeat(hash+"\n", 64)), 1),
		"extra that is empty": strings.Replace(good, "extra AA==", "extra ", 1),
		"extra with bits":     strings.Replace(good, "extra AA==", "extra AB==", 1),
		"a long one":          good + strings.Repeat("x", 1<<20),
	} {
		if _, err := tlog.ParseProof([]byte(text)); err == nil {
			t.Errorf("%s is taken for a proof", what)
		}
	}
}

func FuzzRule41_ProofText(f *testing.F) {
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra AA==\nindex 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nnote\n"))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\nnote\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := tlog.ParseProof(text)
		if err != nil {
			return
		}
		if again := p.Text(); !bytes.Equal(again, text) {
			t.Errorf("%q is read, and written as %q", text, again)
		}
	})
}
