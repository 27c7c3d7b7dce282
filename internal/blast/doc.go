// Package blast finds what is hit when something is bad: the versions that hold it, through what, in which stage and
// deployment they are, and whose they are.
//
// A question is turned into the rows that it starts from (question.go, purls.go, upgrade.go), from which statements that are
// written as text go by index to versions (collect.go). They are not narrowed by the store: scope.go narrows them.
package blast
