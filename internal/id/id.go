// Package id makes the identifiers that leave the house: opaque global ids for the API's Node interface, and random
// names for decisions and people. Inside, rows are known by integers.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

var errMalformed = errors.New("not an id of this service")

// Global encodes a type and a row number as an opaque id, URL-safe base64 of "Type:number".
func Global(typ string, n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(typ + ":" + strconv.Itoa(n)))
}

// ParseGlobal is the inverse of Global. It fails on anything that Global did not make.
func ParseGlobal(s string) (typ string, n int, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return "", 0, errMalformed
	}
	typ, number, ok := strings.Cut(string(b), ":")
	if !ok || typ == "" {
		return "", 0, errMalformed
	}
	n, err = strconv.Atoi(number)
	// Base64 skips line breaks and the last bits, and Atoi takes signs and zeros: an id has one spelling.
	if err != nil || n < 1 || Global(typ, n) != s {
		return "", 0, errMalformed
	}
	return typ, n, nil
}

// Random returns 2n hexadecimal digits from the system's random source.
func Random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}
