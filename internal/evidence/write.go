package evidence

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/auth"
)

const (
	// maxGroup is how many callers share a transaction, and maxShared the size in bytes of the largest evidence that shares
	// one: nobody should wait for what is much larger than their own.
	maxGroup  = 256
	maxShared = 256 << 10
)

var errUnwritten = errors.New("the evidence was not written: whoever wrote for several failed")

// group lets callers who write at once share a transaction: what takes long is to begin, to end and to make a statement
// ready, not the row more. Whoever has the turn writes for all who wait; meanwhile those of the next turn gather.
type group struct {
	turn    sync.Mutex
	mu      sync.Mutex // over waiting and taken
	waiting []*written
}

// written is an entry on its way into the database.
type written struct {
	entry
	ctx   context.Context
	taken bool // somebody writes it
	done  chan struct{}
	row   *db.Evidence
	again bool // it was there before
	err   error
}

// write records the entry, unless somebody else recorded the same before.
func (s *Service) write(ctx context.Context, e entry) (ev *db.Evidence, alreadyKnown bool, err error) {
	w := &written{entry: e, ctx: ctx, done: make(chan struct{})}
	if e.bill != nil || len(e.raw) > maxShared || e.judgesByVex() { // what VEX changes is its pusher's doing, and nobody else's
		s.writeGroup([]*written{w})
		return w.row, w.again, w.err
	}
	s.group.join(w)
	for {
		s.group.turn.Lock()
		members := s.group.take(w)
		if members == nil {
			s.group.turn.Unlock()
			<-w.done
			return w.row, w.again, w.err
		}
		s.writeGroup(members)
		s.group.turn.Unlock()
	}
}

func (g *group) join(w *written) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
}

// take gives those whose turn it is to be written; nil when somebody has taken w.
func (g *group) take(w *written) []*written {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.taken {
		return nil
	}
	n := min(len(g.waiting), maxGroup)
	members := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	for _, m := range members {
		m.taken = true
	}
	return members
}

// writeGroup records the entries in one transaction. When that fails it tries each by itself, so that nobody is told of
// another's failure.
func (s *Service) writeGroup(members []*written) {
	for _, w := range members {
		w.err = errUnwritten // what they hear when this ends in a panic, which is the leader's alone
		defer close(w.done)
	}
	err := s.writeAll(withoutEnd(members), members)
	for _, w := range members {
		w.err = err
		if err != nil && len(members) > 1 {
			w.err = s.writeAll(w.ctx, []*written{w})
		}
	}
}

// withoutEnd is the context of the only member, or one that does not end when the leader's does.
func withoutEnd(members []*written) context.Context {
	if len(members) == 1 {
		return members[0].ctx
	}
	return context.WithoutCancel(members[0].ctx)
}

// writeAll records entries in one transaction, and reads their records again as they stand after the commit.
func (s *Service) writeAll(ctx context.Context, members []*written) error {
	if err := s.findStages(ctx, members); err != nil {
		return err
	}
	entries := make([]*entry, len(members))
	for i, w := range members {
		entries[i] = &w.entry
	}
	var ids map[identity]int
	err := s.store.InTx(ctx, func(tx *db.Client) (err error) {
		if err := stillTrusted(ctx, tx, entries); err != nil {
			return err
		}
		ids, err = s.record(ctx, tx, entries)
		return err
	})
	if err != nil {
		return err
	}
	return s.readRecords(ctx, members, ids)
}

// writeOne records one entry in a transaction and returns its row, or the row of the same evidence.
func (s *Service) writeOne(ctx context.Context, tx *db.Client, e entry) (id int, alreadyKnown bool, err error) {
	if err := stillTrusted(ctx, tx, []*entry{&e}); err != nil {
		return 0, false, err
	}
	ids, err := s.record(ctx, tx, []*entry{&e})
	if err != nil || ids[e.identity()] != 0 {
		return ids[e.identity()], false, err
	}
	known, err := s.known(ctx, tx, e)
	if err != nil {
		return 0, false, err
	}
	if known == nil {
		return 0, false, fmt.Errorf("evidence %s is neither new nor there", e.digest)
	}
	return known.ID, true, nil
}

// readRecords gives each member its record: the row that was written for it, or that of the same evidence.
func (s *Service) readRecords(ctx context.Context, members []*written, ids map[identity]int) error {
	sys := auth.System(ctx)
	list := make([]int, 0, len(ids))
	for _, id := range ids {
		list = append(list, id)
	}
	rows, err := s.store.Read().Evidence.Query().Where(evidence.IDIn(list...)).All(sys)
	if err != nil {
		return fmt.Errorf("load evidence: %w", err)
	}
	found := make(map[identity]*db.Evidence, len(rows))
	for _, row := range rows {
		found[identity{row.Digest, row.SignerKey, row.Realm}] = row
	}
	for _, w := range members {
		of := w.identity()
		if w.row = found[of]; w.row != nil {
			// Of equal ones that were written together, the first is new.
			_, w.again = ids[of], ids[of] == 0
			ids[of] = 0
		} else if w.row, err = s.known(sys, s.store.Read(), w.entry); err != nil {
			return err
		} else if w.again = true; w.row == nil {
			return fmt.Errorf("evidence %s is neither new nor there", w.digest)
		}
		if !w.again {
			s.remember(w.entry)
		}
	}
	return nil
}
