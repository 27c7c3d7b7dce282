// Package version records the unit of release: an application version with its contents.
//
// A version is a draft or locked. A draft gains sources and is renamed; a locked version's contents never change. Its
// manifest, canonical JSON (RFC 8785) of the application, the version string and the sorted contents, is its identity: the
// same contents give the same digest on any machine. The manifest is signed in the transaction that locks. Whoever changes
// what a draft consists of counts up its moves, so that nothing is signed, locked or promoted that changed meanwhile.
//
// What a version consists of is resolved when it is reported: packages and artifacts that are named, what builds made, and
// what other versions contain. Each part remembers the first source that brought it, and the application whose version it
// came from. Who owns a part is not in the manifest, because that changes with time: it is looked up in the catalog
// whenever it is asked for.
//
// It writes application versions and releasables. Promotions belong to package release.
package version
