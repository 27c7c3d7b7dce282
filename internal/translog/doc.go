// Package translog keeps the Merkle tree over the events of the activity log: it puts events in the tree, one server at a
// time and in the order in which it comes upon them, signs checkpoints, gives out tiles, bundles of leaves and proofs, and
// recomputes everything (Verify).
//
// An event is in the tree exactly if it has a log index. The index, the tiles that it changes and the checkpoint are
// written in one transaction of their own, after the one that wrote the event: what was rolled back never had a leaf, and
// what was committed has one within a second, whatever was killed between. Ids are no order: on Postgres a lower one may
// be committed after a higher.
package translog
