// Package store keeps the rows: in one SQLite file, or in Postgres. The two behave alike to whoever calls.
//
// Reading goes through Read, writing through InTx; both hand out ent clients (package ent/db) and nothing lies between
// a domain and its rows. Three promises are kept here so that no domain has to keep them:
//
//   - What is acknowledged is durable. InTx returns nil only after the commit reached the disk. On SQLite many callers
//     share one commit (groupcommit.go), each behind a savepoint of its own; Postgres gathers commits itself.
//   - All or nothing. A transaction in which any statement failed is undone, even if the caller swallowed the failure.
//   - What a principal may not see does not exist for it. Every query, inside a transaction too, is narrowed to the reach
//     of the principal in its context (scope.go). A table without a rule cannot be read.
//
// What is not narrowed: predicates that look through an edge (application.HasProjectWith(…)) see every row on the far
// side, SQL that is sent as text (QueryContext, ExecContext) reads what it says, and updates and deletes change whatever
// they name. A verb therefore loads the record it is about to change, and a filter over an edge is asked only of records
// that belong to the same project.
//
// Times are stored in UTC with a resolution of one microsecond, which is what both databases can keep.
package store
