// Package deployment records where versions run.
package deployment
