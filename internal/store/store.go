package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
)

// Store is an open database whose schema is that of this program. It is safe for concurrent use.
type Store struct {
	backend backend
	read    *db.Client
}

// backend is what differs between the databases.
type backend interface {
	dialect() string
	// reader is the pool that queries outside a transaction run on. It cannot write.
	reader() conn
	// inTx runs fn once, all or nothing, and returns nil only after a durable commit.
	inTx(ctx context.Context, fn func(tx conn) error) error
	ready(ctx context.Context) error
	// scrub makes what was deleted from tables unreadable.
	scrub(ctx context.Context, tables []string) error
	close() error
}

// Open opens the database that dsn names, "sqlite:PATH" or "postgres://…", and brings its schema up to date. Several
// programs may open one Postgres database at once: one migrates it while the others wait. A SQLite file is one server's;
// a command may open it beside, but while a migration is due one program alone may start.
//
// It fails on a DSN of another form, on a database that cannot be reached, on one whose schema is newer than this
// program, and on a Postgres that acknowledges commits before they are durable.
func Open(ctx context.Context, dsn string, log *slog.Logger) (*Store, error) {
	b, err := openBackend(ctx, dsn, log)
	if err != nil {
		return nil, err
	}
	return &Store{backend: b, read: client(b.dialect(), b.reader())}, nil
}

func openBackend(ctx context.Context, dsn string, log *slog.Logger) (backend, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return openSQLite(ctx, path, log)
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn, log)
	}
	// The DSN itself may hold a password: it is not repeated.
	return nil, errors.New(`database DSN: want "sqlite:PATH" or "postgres://USER@HOST/DATABASE"`)
}

// Read returns a client for queries outside a transaction. Each query sees what is committed when it starts, narrowed to
// what exists for the principal in its context. Writing through it fails.
func (s *Store) Read() *db.Client { return s.read }

// InTx runs fn in a transaction: when it returns nil, everything that fn wrote is there and durable, otherwise nothing
// is. Fn runs exactly once, in the caller's goroutine, unless InTx fails before: when ctx is done already, or the
// database cannot begin.
//
// The client that fn receives reads what fn wrote, is narrowed like Read, and is unusable once fn returns. A statement
// that fails, be it for a unique constraint, ends the transaction: later statements are refused, and InTx fails even if fn
// returns nil. When fn panics the transaction is undone and the panic goes on to the caller. Fn may read through Read; it
// must not call InTx, which on SQLite would wait for itself.
//
// Once fn has begun, cancelling ctx does not undo it on SQLite, where callers share a commit; on Postgres the statement
// under way fails. On neither does it interrupt the commit.
func (s *Store) InTx(ctx context.Context, fn func(tx *db.Client) error) error {
	return s.backend.inTx(ctx, func(tx conn) error {
		return fn(client(s.Dialect(), tx))
	})
}

// Ready fails when the database does not answer, or cannot be written to.
func (s *Store) Ready(ctx context.Context) error { return s.backend.ready(ctx) }

// Dialect returns dialect.SQLite or dialect.Postgres.
func (s *Store) Dialect() string { return s.backend.dialect() }

// Close waits for transactions under way and closes the database. InTx fails from then on.
func (s *Store) Close() error { return s.backend.close() }

var _ = []backend{(*sqlite)(nil), (*postgres)(nil)}

// client makes an ent client that speaks over c and sees what its principal may see.
func client(name string, c conn) *db.Client {
	cl := db.NewClient(db.Driver(newDriver(name, c)))
	cl.Intercept(db.TraverseFunc(narrow))
	return cl
}

var _ dialect.Driver = driver{}
