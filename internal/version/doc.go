// Package version records the unit of release: an application version with its immutable contents.
//
// A version is locked when it is reported. Its manifest, canonical JSON (RFC 8785) of the application, the version string
// and the sorted contents, is its identity: the same contents give the same digest on any machine. The manifest is
// signed in the same transaction. Who owns a part of it is not in the manifest, because that changes with time: it is
// looked up in the catalog whenever it is asked for.
//
// It writes application versions and releasables. Promotions belong to package release.
package version
