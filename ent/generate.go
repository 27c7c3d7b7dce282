// Package ent holds the tables: one file an entity in schema/, and the client generated from them in db/.
package ent

//go:generate go run entc.go
