package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Bounds of one shared transaction: whichever is reached first ends it. They bound how long the first caller waits for
// those that came after.
const (
	maxBatchCallers = 256
	maxBatchTime    = 20 * time.Millisecond
)

var (
	errClosed = errors.New("the store is closed")
	errEnded  = errors.New("the transaction has ended: its client must not outlive the function it was given to")
	errGone   = errors.New("SQLite gave up the transaction")
	errFailed = errors.New("a statement of this transaction failed before: return its error")
)

// groupCommit lets many callers share one commit of the one connection that writes, because a commit waits for the disk
// and the disk takes as long for one row as for a thousand.
//
// Whoever holds the baton runs its function on the connection, behind a savepoint, in its own goroutine: a failure, a
// panic or runtime.Goexit undoes its savepoint and nothing else. On leaving, it passes the baton to whoever waits and
// sleeps until the shared transaction is committed. Whoever leaves with nobody waiting commits, for all: nobody waits
// for callers that may never come, and while one commit waits for the disk the callers of the next gather.
type groupCommit struct {
	conn    *sql.Conn
	baton   chan struct{} // full while somebody holds it; channel queues are fair
	waiting atomic.Int64  // callers that want the baton: each will take it, and on leaving see to the open batch

	// The holder of the baton alone touches these.
	open   *batch // the shared transaction, nil when none has begun
	closed bool
}

// batch is one shared transaction.
type batch struct {
	began   time.Time
	callers int
	done    chan struct{}
	err     error // of the commit; to be read once done is closed
}

func newGroupCommit(c *sql.Conn) *groupCommit {
	return &groupCommit{conn: c, baton: make(chan struct{}, 1)}
}

// inTx implements backend.
func (g *groupCommit) inTx(ctx context.Context, fn func(conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := g.turn(ctx, fn)
	if err != nil {
		return err // undone already: no need to wait for the others
	}
	<-b.done
	return b.err
}

// turn waits for the baton, runs fn behind a savepoint and passes the baton on. The wait is not cut short by ctx: who is
// counted as waiting must take the baton, since the others rely on it to commit.
func (g *groupCommit) turn(ctx context.Context, fn func(conn) error) (*batch, error) {
	g.waiting.Add(1)
	g.baton <- struct{}{}
	g.waiting.Add(-1)
	defer g.leave()

	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := g.join()
	if err != nil {
		return nil, err
	}
	return b, g.behindSavepoint(fn)
}

// join enters the open batch, or begins one.
func (g *groupCommit) join() (*batch, error) {
	if g.closed {
		return nil, errClosed
	}
	if g.open == nil {
		if err := g.exec("BEGIN IMMEDIATE"); err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
		g.open = &batch{began: time.Now(), done: make(chan struct{})}
	}
	g.open.callers++
	return g.open, nil
}

func (g *groupCommit) behindSavepoint(fn func(conn) error) error {
	if err := g.exec("SAVEPOINT caller"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &sqliteTx{g: g}
	kept := false
	defer func() {
		tx.ended.Store(true)
		if !kept {
			// Fails only when the whole transaction is gone, which leave finds out.
			_ = g.exec("ROLLBACK TO caller")
			_ = g.exec("RELEASE caller")
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.usable(); err != nil {
		return err
	}
	if err := g.exec("RELEASE caller"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	kept = true
	return nil
}

// leave passes the baton on, and commits first unless somebody who waits will.
func (g *groupCommit) leave() {
	if g.open != nil {
		if g.waiting.Load() == 0 {
			runtime.Gosched() // those that the last commit woke may be on their way
		}
		full := g.open.callers >= maxBatchCallers || time.Since(g.open.began) >= maxBatchTime
		if full || g.waiting.Load() == 0 || g.gone() {
			g.commit()
		}
	}
	<-g.baton
}

func (g *groupCommit) commit() {
	b := g.open
	g.open = nil
	if err := g.exec("COMMIT"); err != nil {
		b.err = fmt.Errorf("commit: %w", err)
		// Depending on the failure SQLite has undone the transaction or left it open. Either way it must be over.
		_ = g.exec("ROLLBACK")
	}
	close(b.done)
}

func (g *groupCommit) close() error {
	g.baton <- struct{}{}
	defer func() { <-g.baton }()
	if g.closed {
		return nil
	}
	if g.open != nil {
		g.commit()
	}
	g.closed = true
	return g.conn.Close()
}

// exec runs a statement of the transaction itself. No caller's context governs it.
func (g *groupCommit) exec(query string) error {
	_, err := g.conn.ExecContext(context.Background(), query)
	return err
}

// gone tells whether SQLite has undone the whole transaction, as it does when the disk is full. What ran then would
// commit by itself, statement by statement.
func (g *groupCommit) gone() bool {
	gone := true
	_ = g.conn.Raw(func(c any) error {
		gone = c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return gone
}

// sqliteTx is one caller's part of the shared transaction. Like a transaction of Postgres it refuses to go on after a
// failure, so that code which swallows one is found on both databases.
type sqliteTx struct {
	g     *groupCommit
	ended atomic.Bool
	broke atomic.Bool
}

// usable tells why no statement may run, if so.
func (t *sqliteTx) usable() error {
	switch {
	case t.ended.Load():
		return errEnded
	case t.broke.Load():
		return errFailed
	case t.g.gone():
		return errGone
	}
	return nil
}

// failed implements failureSink.
func (t *sqliteTx) failed(error) { t.broke.Store(true) }

// ExecContext implements entsql.ExecQuerier. It ignores the end of ctx: SQLite answers an interrupt by undoing the whole
// transaction, which belongs to the other callers too.
func (t *sqliteTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	res, err := t.g.conn.ExecContext(context.WithoutCancel(ctx), query, args...)
	if err != nil {
		t.failed(err)
	}
	return res, err
}

// QueryContext implements entsql.ExecQuerier. It ignores the end of ctx, as ExecContext does.
func (t *sqliteTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	rows, err := t.g.conn.QueryContext(context.WithoutCancel(ctx), query, args...)
	if err != nil {
		t.failed(err)
	}
	return rows, err
}
