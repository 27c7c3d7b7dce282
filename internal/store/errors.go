package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// postgresUniqueViolation is the SQLSTATE unique_violation.
const postgresUniqueViolation = "23505"

// IsUnique tells whether err says that a row would not be unique. The transaction in which it arose is lost: return it
// from InTx's function, and ask there or outside.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		return e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == postgresUniqueViolation
	}
	return false
}
