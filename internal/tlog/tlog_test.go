package tlog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/internal/tlog"
)

// shelf keeps tiles as a table would: the widest of each place.
type shelf map[string][]byte

func place(t tlog.Tile) string { return fmt.Sprint(t.Level, "/", t.Position) }

func (s shelf) read(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		out[i] = s[place(t)]
	}
	return out, nil
}

// grow appends leaves to a tree and keeps the tiles.
func (s shelf) grow(tb testing.TB, t tlog.Tree, leaves ...tlog.Hash) tlog.Tree {
	tb.Helper()
	b, err := tlog.NewBuilder(t, s.read)
	if err != nil {
		tb.Fatal(err)
	}
	for _, l := range leaves {
		if err := b.Append(l); err != nil {
			tb.Fatal(err)
		}
	}
	filled, err := b.Tiles()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range filled {
		if len(f.Hashes) != f.Width*tlog.HashSize || !strings.HasPrefix(string(f.Hashes), string(s[place(f.Tile)])) {
			tb.Fatalf("tile %s does not go on where it was", f.Path())
		}
		s[place(f.Tile)] = f.Hashes
	}
	t, err = b.Tree()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// plain is the tree as golang.org/x/mod/sumdb/tlog keeps it without tiles.
type plain []sumdb.Hash

func (p plain) ReadHashes(places []int64) ([]sumdb.Hash, error) {
	out := make([]sumdb.Hash, len(places))
	for i, at := range places {
		out[i] = p[at]
	}
	return out, nil
}

func leafAt(i int64) tlog.Hash { return tlog.LeafHash(fmt.Append(nil, "leaf ", i)) }

func TestRule41_ATreeThatGrowsInAnyStepsIsTheTreeOfItsLeaves(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s, tree, whole := shelf{}, tlog.Tree{}, plain{}
	for tree.Size < 70000 {
		before := tree
		var leaves []tlog.Hash
		for range 1 + rng.IntN(1+int(min(tree.Size, 3000))) {
			i := tree.Size + int64(len(leaves))
			stored, err := sumdb.StoredHashesForRecordHash(i, leafAt(i), whole)
			if err != nil {
				t.Fatal(err)
			}
			whole, leaves = append(whole, stored...), append(leaves, leafAt(i))
		}
		tree = s.grow(t, tree, leaves...)
		want, err := sumdb.TreeHash(tree.Size, whole)
		if err != nil || want != tree.Root {
			t.Fatalf("the root of %d leaves is %s, want %s (%v)", tree.Size, tree.Root, want, err)
		}
		leaf := rng.Int64N(tree.Size)
		hash, proof, err := tlog.ProveInclusion(tree, leaf, s.read)
		if err != nil || hash != leafAt(leaf) {
			t.Fatalf("leaf %d of %d: %v", leaf, tree.Size, err)
		}
		if err := sumdb.CheckRecord(proof, tree.Size, want, leaf, hash); err != nil {
			t.Fatalf("leaf %d of %d: %v", leaf, tree.Size, err)
		}
		if before.Size == 0 {
			continue
		}
		consistent, err := tlog.ProveConsistency(tree, before.Size, tree.Size, s.read)
		if err != nil {
			t.Fatal(err)
		}
		if err := sumdb.CheckTree(consistent, tree.Size, want, before.Size, before.Root); err != nil {
			t.Fatalf("%d in %d: %v", before.Size, tree.Size, err)
		}
		if root, err := tlog.RootAt(tree, before.Size, s.read); err != nil || root != before.Root {
			t.Fatalf("the root at %d is %s, was %s (%v)", before.Size, root, before.Root, err)
		}
	}
}

func TestRule41_ATileThatWasAlteredGivesNoProofAndNoLongerTree(t *testing.T) {
	s := shelf{}
	var leaves []tlog.Hash
	for i := range int64(700) {
		leaves = append(leaves, leafAt(i))
	}
	tree := s.grow(t, tlog.Tree{}, leaves...)
	for name, alter := range map[string]func(shelf){
		"a leaf's hash":  func(s shelf) { s["0/2"][5] ^= 1 },
		"a higher hash":  func(s shelf) { s["1/0"][40] ^= 1 },
		"a tile cut off": func(s shelf) { s["0/2"] = s["0/2"][:64] },
		"a tile gone":    func(s shelf) { delete(s, "0/2") },
	} {
		other := shelf{}
		for k, v := range s {
			other[k] = []byte(string(v))
		}
		alter(other)
		if _, _, err := tlog.ProveInclusion(tree, 600, other.read); err == nil {
			t.Errorf("%s: a leaf is proved", name)
		}
		if _, err := tlog.NewBuilder(tree, other.read); err == nil {
			t.Errorf("%s: the tree grows", name)
		}
	}
}

func TestPathsAreThoseOfTheStandard(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"0/000": {Width: 256}, "0/x001/x234/067": {Position: 1234067, Width: 256}, "1/005.p/17": {Level: 1, Position: 5, Width: 17},
	} {
		got, err := tlog.ParseTilePath(path)
		if err != nil || got != want || got.Path() != path {
			t.Errorf("%s is %+v (%v)", path, got, err)
		}
	}
	if got, err := tlog.ParseEntriesPath("x001/067.p/9"); err != nil || got.EntriesPath() != "x001/067.p/9" || got.Full() {
		t.Errorf("a bundle is %+v (%v)", got, err)
	}
	for _, path := range []string{
		"", "0", "0/0", "0/0000", "data/000", "-1/000", "8/000", "0/000.p/0", "0/000.p/256", "0/000.p/-1", "0/x1/000", "0/../000", "0/000/",
		"0/x072/x057/x594/x037/x927/936", "8/0/000", "entries/000", "0/001.p/007",
	} {
		if got, err := tlog.ParseTilePath(path); err == nil {
			t.Errorf("%q is %+v", path, got)
		}
	}
}

func TestBundlesHoldLeavesBehindTheirLengths(t *testing.T) {
	b, err := tlog.Bundle([][]byte{[]byte("a"), nil, []byte("bcd")})
	if err != nil || string(b) != "\x00\x01a\x00\x00\x00\x03bcd" {
		t.Errorf("the bundle is %q (%v)", b, err)
	}
	if _, err := tlog.Bundle([][]byte{make([]byte, 65536)}); err == nil {
		t.Error("a leaf that is too long is in a bundle")
	}
}

func TestEveryKeyThatIsMadeCanBeRead(t *testing.T) {
	folder := t.TempDir()
	for i := range 100 { // half of them have a plus in their base64
		if _, _, err := tlog.LoadOrCreateSigner(filepath.Join(folder, fmt.Sprint(i)), "log.example.test"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKeyIsMadeOnceAndSignsWhatStockNotesVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	one, created, err := tlog.LoadOrCreateSigner(path, "log.example.test")
	if err != nil || !created {
		t.Fatal(err, created)
	}
	two, created, err := tlog.LoadOrCreateSigner(path, "log.example.test")
	if err != nil || created || two.Keys()[0] != one.Keys()[0] {
		t.Fatal(err, created)
	}
	tree := tlog.Tree{Size: 7, Root: leafAt(1)}
	signed, err := one.Sign(tree)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(one.Keys()[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
	if got, err := two.Open(signed); err != nil || got != tree {
		t.Errorf("the checkpoint opens as %+v (%v)", got, err)
	}
	if _, err := two.Open([]byte(strings.Replace(string(signed), "\n7\n", "\n8\n", 1))); err == nil {
		t.Error("an altered checkpoint opens")
	}
	if _, _, err := tlog.LoadOrCreateSigner(path, "log.example.org"); err == nil || !strings.Contains(err.Error(), "log.example.test") {
		t.Errorf("the key signs for another log: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tlog.LoadOrCreateSigner(path, "log.example.test"); err == nil {
		t.Error("a key that others can read signs")
	}
}

// TestAKeyIsReplacedWhileClientsHoldTheOldOne goes through both steps: two keys sign, and then the old one verifies only.
func TestAKeyIsReplacedWhileClientsHoldTheOldOne(t *testing.T) {
	folder := t.TempDir()
	private := func(name string) string {
		path := filepath.Join(folder, name)
		if _, _, err := tlog.LoadOrCreateSigner(path, "log.example.test"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	load := func(lines ...string) (*tlog.Signer, error) {
		path := filepath.Join(folder, "log.key")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, err := tlog.LoadOrCreateSigner(path, "log.example.test")
		return s, err
	}
	must := func(lines ...string) *tlog.Signer {
		s, err := load(lines...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	older, newer := private("old"), private("new")
	alone, both := must(older), must("# since May", newer, "", older)
	oldKey, newKey := alone.Keys()[0], both.Keys()[0]
	after := must(newer, oldKey)
	if got := strings.Join(after.Keys(), " "); got != newKey+" "+oldKey || strings.Join(both.Keys(), " ") != got {
		t.Errorf("the keys are %s", got)
	}
	opens := map[*tlog.Signer][2]bool{alone: {true, false}, both: {true, true}, after: {false, true}} // with the old key, with the new one
	for s, want := range opens {
		tree := tlog.Tree{Size: 7, Root: leafAt(1)}
		signed, err := s.Sign(tree)
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range []string{oldKey, newKey} {
			verifier, err := note.NewVerifier(key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := note.Open(signed, note.VerifierList(verifier)); (err == nil) != want[i] {
				t.Errorf("with the key %s: %v", key, err)
			}
		}
		for _, reader := range []*tlog.Signer{both, after} {
			if got, err := reader.Open(signed); err != nil || got != tree {
				t.Errorf("a server that knows both keys: %v", err)
			}
		}
	}
	for name, lines := range map[string][]string{
		"no key": {"# none"}, "no private one": {oldKey}, "a public one first": {oldKey, newer}, "twice": {newer, newKey}, "a private one twice": {newer, newer},
		"nonsense": {newer, "nonsense"}, "another name": {newer, strings.Replace(oldKey, "log.", "dog.", 1)}, "too much": {newer, "#" + strings.Repeat("x", 20000)},
	} {
		if _, err := load(lines...); err == nil || strings.Contains(err.Error(), "PRIVATE+KEY+log") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
