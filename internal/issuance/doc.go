// Package issuance makes passports of releases: it gathers from the records what docs/passport.md lists, as of one instant and
// within the reach of whoever asks, and has internal/passport write it. It writes no record.
package issuance
