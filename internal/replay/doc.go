// Package replay lays a recorded decision of a gate out as files, with a program that makes it again from them with stock
// tools. The same decision gives the same bytes, whoever lays it out: the command that asked the API for it, or the server.
package replay
