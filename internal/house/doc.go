// Package house holds what the tree promises of itself: which room may know which, what is documented, how long a file may
// be, what may stand in no file. All of it is tests, and each says in its message what to do. They read sources and
// build nothing.
package house
