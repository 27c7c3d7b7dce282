// Package passport is one archive with everything that it takes to check a release elsewhere: it writes it, leaves parts out
// of it, and verifies it, from bytes alone. docs/passport.md describes the files.
package passport
