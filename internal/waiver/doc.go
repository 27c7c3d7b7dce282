// Package waiver keeps decisions to let something through that a rule objects to, who asked for them and who decided, and
// what they covered.
package waiver
