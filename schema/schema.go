// Package schema carries the public contract: the hand-written SDL, one file a domain, and in contract/ the documents
// that clients send.
package schema

import "embed"

// SDL holds the schema's files.
//
//go:embed *.graphql
var SDL embed.FS

// Contract holds the documents that partner tools, CI jobs and dashboards send, as they send them.
//
//go:embed contract/operations.graphql
var Contract string
