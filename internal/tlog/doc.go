// Package tlog is the transparency log as arithmetic: hashes of leaves in, tiles, proofs and signed checkpoints out, in the
// layout of C2SP tlog-tiles. The tree is that of golang.org/x/mod/sumdb/tlog (RFC 6962), the signature that of
// golang.org/x/mod/sumdb/note. It keeps nothing: whoever calls it holds the tiles.
//
// Every hash that is read from a tile is checked against the root of the tree that it belongs to, so that a tile that was
// altered ends in an error, and never in a proof or a signature.
package tlog
