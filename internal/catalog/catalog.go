package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service reads and changes the catalog. It is safe for concurrent use.
type Service struct {
	store *store.Store
	log   *activity.Log
	now   func() time.Time
}

// New returns the catalog on a store; now is the clock.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	return &Service{store: s, log: log, now: now}
}

// errRaced ends a transaction that rests on what another one has just changed.
var errRaced = errors.New("the record changed between reading and writing it")

// maxRuns is how often a verb runs that loses race after race.
const maxRuns = 3

// write runs a verb in a transaction. What the verb has written is read again afterwards for whoever called: a row made in
// a transaction cannot load its edges once that has ended. A violated unique constraint ends a transaction, so what was taken can be said only
// by another run, which then sees it.
func (s *Service) write(ctx context.Context, verb func(tx *db.Client) error) error {
	for range maxRuns {
		err := s.store.InTx(ctx, verb)
		if !store.IsUnique(err) && !errors.Is(err, errRaced) {
			return err
		}
	}
	return fault.New(fault.Conflict, "the same record is being changed by others at this moment; try again")
}

func missing(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.NotFound, Path: path, Message: fmt.Sprintf(format, args...)}
}

func taken(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.Conflict, Path: path, Message: fmt.Sprintf(format, args...)}
}

// Locks on the rows that a verb rests on. SQLite needs none: there, one transaction writes at a time.
func hold(s *sql.Selector)   { lock(s, sql.LockShare) }
func change(s *sql.Selector) { lock(s, sql.LockNoKeyUpdate) }

func lock(s *sql.Selector, strength sql.LockStrength) {
	if s.Dialect() == dialect.Postgres {
		s.For(strength)
	}
}

// projectForWriting loads the project that a verb works in. The lock is hold for who relies on the project's lifecycles,
// and change for who changes them.
func projectForWriting(ctx context.Context, tx *db.Client, key string, lock func(*sql.Selector)) (*db.Project, error) {
	p, err := tx.Project.Query().Where(project.Key(key), lock).Only(ctx)
	if db.IsNotFound(err) {
		return nil, missing("input.projectKey", "there is no project %q; name one that you can see", key)
	}
	if err != nil {
		return nil, fmt.Errorf("load project %s: %w", key, err)
	}
	return p, nil
}

// applicationForWriting loads the application that a verb changes, with its project.
func applicationForWriting(ctx context.Context, tx *db.Client, path, key string) (*db.Application, error) {
	a, err := tx.Application.Query().Where(application.Key(key), change).WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, missing(path, "there is no application %q; name one that you can see", key)
	}
	if err != nil {
		return nil, fmt.Errorf("load application %s: %w", key, err)
	}
	return a, nil
}
