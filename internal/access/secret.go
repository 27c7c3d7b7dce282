package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// secretPrefix lets scanners of source code recognise a secret that was committed by mistake.
const secretPrefix = "plm_"

// The shortest and longest secret that is accepted, in bytes. Those made here have 47; that of the bootstrap token may be
// given.
const minSecret, maxSecret = 1, 512

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return secretPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// sendable tells whether a secret can stand after "Authorization: Bearer ".
func sendable(secret string) bool {
	return len(secret) >= minSecret && len(secret) <= maxSecret &&
		!strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' })
}

// hash is what is stored of a secret.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
