// Package blast finds what is hit when something is bad.
package blast
