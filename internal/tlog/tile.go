package tlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// height is how many levels of the tree one tile stands for.
const height = 8

// TileWidth is how many hashes a full tile holds, and how many leaves a full bundle.
const TileWidth = 1 << height

// HashSize is the length of a hash in bytes.
const HashSize = tlog.HashSize

// Hash is a hash of the tree: of a leaf, or of two hashes below.
type Hash = tlog.Hash

// LeafHash is the RFC 6962 hash of a leaf.
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }

// Tile names a tile: the first Width hashes of one place in the tree.
type Tile struct {
	Level    int
	Position int64
	// Width is from 1 to TileWidth.
	Width int
}

// Full tells whether the tile can grow no more.
func (t Tile) Full() bool { return t.Width == TileWidth }

// Path is where C2SP tlog-tiles puts the tile, below "tile/".
func (t Tile) Path() string {
	return strings.TrimPrefix(t.inner().Path(), "tile/8/")
}

// EntriesPath is where C2SP tlog-tiles puts the leaves under a tile of level 0, below "tile/entries/".
func (t Tile) EntriesPath() string { return strings.TrimPrefix(t.Path(), "0/") }

func (t Tile) inner() tlog.Tile { return tlog.Tile{H: height, L: t.Level, N: t.Position, W: t.Width} }

func outer(t tlog.Tile) Tile { return Tile{Level: t.L, Position: t.N, Width: t.W} }

// maxPosition keeps the number of a leaf below any tile far from the end of the integers.
const maxPosition = 1 << 48

// errPath is of a path that names no tile. It does not repeat it.
var errPath = errors.New("not the path of a tile")

// ParseTilePath reads what stands below "tile/": "0/x001/x234/067", with ".p/W" behind it when the tile is not full.
func ParseTilePath(path string) (Tile, error) {
	t, err := tlog.ParseTilePath("tile/8/" + path)
	if err != nil || t.L < 0 || t.L > 63/height || t.N > maxPosition {
		return Tile{}, errPath
	}
	return outer(t), nil
}

// ParseEntriesPath reads what stands below "tile/entries/": the path of a tile of level 0, without the level.
func ParseEntriesPath(path string) (Tile, error) { return ParseTilePath("0/" + path) }

// Bundle lays out leaves as C2SP tlog-tiles does: each behind its length, two bytes.
func Bundle(leaves [][]byte) ([]byte, error) {
	var b []byte
	for i, leaf := range leaves {
		if len(leaf) > math.MaxUint16 {
			return nil, fmt.Errorf("leaf %d has %d bytes: a bundle holds at most %d of each", i, len(leaf), math.MaxUint16)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf)))
		b = append(b, leaf...)
	}
	return b, nil
}
