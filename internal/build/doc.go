// Package build records builds: what went in, what came out, and which identity reported it.
//
// A build is reported once and never changes. Its digest is that of its record, canonical JSON (RFC 8785), so that the same
// report is the same build on any machine, and evidence can speak of a build as it speaks of everything else: by digest.
//
// A build belongs to a project or to the organisation. Its name and number are unique there. Without a word on where it
// goes, it goes to the organisation if whoever reports may report there, and otherwise to the one project where they may.
package build
