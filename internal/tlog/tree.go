package tlog

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is a tree at one of its sizes. The zero value is the empty tree.
type Tree struct {
	Size int64
	Root Hash
}

// Read gives the hashes of tiles, in the order in which they are asked for: for each at least as many as its width.
type Read func(tiles []Tile) ([][]byte, error)

// Filled is a tile and its hashes.
type Filled struct {
	Tile
	Hashes []byte
}

// Builder makes a tree longer. It is for one use, and not for concurrent use.
type Builder struct {
	old   Tree
	size  int64
	known map[int64]Hash // by their place in the order of golang.org/x/mod/sumdb/tlog
	below tlog.HashReader
}

// NewBuilder makes a builder on a tree whose tiles read gives. It fails when they are not those of the tree.
func NewBuilder(old Tree, read Read) (*Builder, error) {
	b := &Builder{old: old, size: old.Size, known: map[int64]Hash{}, below: reader(old, read)}
	if old.Size == 0 {
		return b, nil
	}
	// All that a longer tree needs of the old one is its right edge, which is what its root is made of.
	root, err := tlog.TreeHash(old.Size, b.hashes())
	if err != nil {
		return nil, fmt.Errorf("read the right edge of the tree of %d leaves: %w", old.Size, err)
	}
	if root != old.Root {
		return nil, fmt.Errorf("the tiles are not those of the tree of %d leaves", old.Size)
	}
	return b, nil
}

// Append adds a leaf, by its hash.
func (b *Builder) Append(leaf Hash) error {
	stored, err := tlog.StoredHashesForRecordHash(b.size, leaf, b.hashes())
	if err != nil {
		return fmt.Errorf("append leaf %d: %w", b.size, err)
	}
	at := tlog.StoredHashIndex(0, b.size)
	for i, h := range stored {
		b.known[at+int64(i)] = h
	}
	b.size++
	return nil
}

// Size is how many leaves the tree has now.
func (b *Builder) Size() int64 { return b.size }

// Tree is the tree as it is now.
func (b *Builder) Tree() (Tree, error) {
	if b.size == 0 {
		return Tree{}, nil
	}
	root, err := tlog.TreeHash(b.size, b.hashes())
	if err != nil {
		return Tree{}, fmt.Errorf("hash the tree of %d leaves: %w", b.size, err)
	}
	return Tree{Size: b.size, Root: root}, nil
}

// Tiles are those that the leaves appended changed, each with all its hashes, the lowest level first.
func (b *Builder) Tiles() ([]Filled, error) {
	var filled []Filled
	for _, t := range tlog.NewTiles(height, b.old.Size, b.size) {
		hashes, err := tlog.ReadTileData(t, b.hashes())
		if err != nil {
			return nil, fmt.Errorf("fill tile %s: %w", outer(t).Path(), err)
		}
		filled = append(filled, Filled{Tile: outer(t), Hashes: hashes})
	}
	return filled, nil
}

// hashes gives what was appended from memory, and what was there before from its tiles, each once.
func (b *Builder) hashes() tlog.HashReader {
	return tlog.HashReaderFunc(func(places []int64) ([]Hash, error) {
		var missing []int64
		for _, p := range places {
			if _, ok := b.known[p]; !ok {
				missing = append(missing, p)
			}
		}
		if len(missing) > 0 {
			found, err := b.below.ReadHashes(missing)
			if err != nil {
				return nil, err
			}
			for i, p := range missing {
				b.known[p] = found[i]
			}
		}
		out := make([]Hash, len(places))
		for i, p := range places {
			out[i] = b.known[p]
		}
		return out, nil
	})
}

// ProveInclusion proves that a leaf is in a tree: with its hash, the size and these hashes, the root can be computed.
func ProveInclusion(t Tree, leaf int64, read Read) (Hash, []Hash, error) {
	if leaf < 0 || leaf >= t.Size {
		return Hash{}, nil, fmt.Errorf("a tree of %d leaves has no leaf %d", t.Size, leaf)
	}
	from := reader(t, read)
	proof, err := tlog.ProveRecord(t.Size, leaf, from)
	if err != nil {
		return Hash{}, nil, fmt.Errorf("prove leaf %d of %d: %w", leaf, t.Size, err)
	}
	found, err := from.ReadHashes([]int64{tlog.StoredHashIndex(0, leaf)})
	if err != nil {
		return Hash{}, nil, fmt.Errorf("read leaf %d of %d: %w", leaf, t.Size, err)
	}
	return found[0], proof, nil
}

// ProveConsistency proves that the tree of the first leaves is where the tree of more leaves began. Both lie in t.
func ProveConsistency(t Tree, first, more int64, read Read) ([]Hash, error) {
	if first < 1 || more < first || more > t.Size {
		return nil, fmt.Errorf("sizes must be 1 ≤ %d ≤ %d ≤ %d", first, more, t.Size)
	}
	proof, err := tlog.ProveTree(more, first, reader(t, read))
	if err != nil {
		return nil, fmt.Errorf("prove that a tree of %d leaves holds one of %d: %w", more, first, err)
	}
	return proof, nil
}

// RootAt is the root of the tree when it had so many leaves.
func RootAt(t Tree, size int64, read Read) (Hash, error) {
	if size < 1 || size > t.Size {
		return Hash{}, fmt.Errorf("sizes must be 1 ≤ %d ≤ %d", size, t.Size)
	}
	root, err := tlog.TreeHash(size, reader(t, read))
	if err != nil {
		return Hash{}, fmt.Errorf("hash the tree of %d leaves: %w", size, err)
	}
	return root, nil
}

// CheckConsistency checks a proof that the older tree is where the newer one began, as any client does.
func CheckConsistency(older, newer Tree, proof []Hash) error {
	if older.Size == newer.Size && older.Root == newer.Root || older.Size == 0 {
		return nil
	}
	return tlog.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root)
}

// reader gives hashes out of tiles, after checking these against the root.
func reader(t Tree, read Read) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: t.Size, Hash: t.Root}, tileReader(read))
}

// tileReader is a Read as golang.org/x/mod/sumdb/tlog takes it.
type tileReader Read

// Height implements tlog.TileReader.
func (tileReader) Height() int { return height }

// ReadTiles implements tlog.TileReader.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	names := make([]Tile, len(tiles))
	for i, t := range tiles {
		names[i] = outer(t)
	}
	found, err := r(names)
	if err != nil {
		return nil, err
	}
	for i, t := range tiles {
		if len(found[i]) < t.W*HashSize {
			return nil, fmt.Errorf("tile %s holds %d bytes, not %d", names[i].Path(), len(found[i]), t.W*HashSize)
		}
		found[i] = found[i][:t.W*HashSize]
	}
	return found, nil
}

// SaveTiles implements tlog.TileReader. Tiles are kept already.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
