// Package activity is the log of everything that happened: who, when, what, where, and how it ended.
//
// An event is written by the verb that changes something, in the same transaction (Append), and never changes again. Its
// leaf, canonical JSON (RFC 8785) with a version field, and the leaf's RFC 6962 hash are final from then on; a Merkle
// tree over the leaves can be built at any time. A leaf holds values, not references. People stand in it as salted
// commitments whose openings lie in a table of their own: deleting an opening erases the person and keeps every proof.
//
// Every domain appends; activity itself calls none of them.
package activity
