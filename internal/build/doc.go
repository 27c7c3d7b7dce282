// Package build records builds: what went in, what came out, and which identity reported it.
package build
