// Package apitest tests the service as its clients see it: over HTTP, with the documents of the contract, on both
// databases. Its tables say what is sent, by whom, and what must come back; a refusal must also leave nothing behind.
package apitest
