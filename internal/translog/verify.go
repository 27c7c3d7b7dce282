package translog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/logcheckpoint"
	"github.com/plimsoll/plimsoll/ent/db/logtile"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// verifyBatch is how many events Verify holds at once. It is as many as 16 full tiles.
const verifyBatch = 16 * tlog.TileWidth

// Verified is what Verify found.
type Verified struct {
	// Events are in the tree and as the newest checkpoint signs them; Checkpoints were compared.
	Events      int64
	Checkpoints int
	// Waiting events are not in the tree yet.
	Waiting int
	// Difference is the first; nil when there is none.
	Difference *Difference
}

// Difference is something that is not as it was signed.
type Difference struct {
	// LogIndex is where the first event lies that differs.
	LogIndex int64
	What     string
}

// String implements fmt.Stringer.
func (d Difference) String() string {
	return fmt.Sprintf("event %d of the log: %s", d.LogIndex, d.What)
}

func (d *Difference) before(other *Difference) *Difference {
	if d == nil || other != nil && other.LogIndex < d.LogIndex {
		return other
	}
	return d
}

// verification is one run of Verify.
type verification struct {
	s           *Service
	signed      tlog.Tree // by the newest checkpoint
	checkpoints []*db.LogCheckpoint
	agreed      int64     // the size of the last checkpoint that was compared
	seen        tlog.Tree // that this server remembers; empty when it remembers none
	next        <-chan loaded
	tree        tlog.Tree
	found       Verified
}

// loaded are events, in the order of the log.
type loaded struct {
	events []*db.ActivityEvent
	err    error
}

// ahead loads the batch that begins at an event while another is looked at.
func (v *verification) ahead(ctx context.Context, from int64) {
	if from >= v.signed.Size {
		return
	}
	got := make(chan loaded, 1)
	v.next = got
	until := min(from+verifyBatch, v.signed.Size)
	go func() {
		events, err := v.s.store.Read().ActivityEvent.Query().
			Where(activityevent.LogIndexGTE(int(from)), activityevent.LogIndexLT(int(until))).
			WithOpenings().Order(db.Asc(activityevent.FieldLogIndex)).All(ctx)
		got <- loaded{events, err}
	}()
}

// Verify recomputes the tree from the events, and compares every tile and every checkpoint, and what is kept beside the
// leaves, with it; and with the checkpoint that the service remembers. It stops at the first event that differs.
func (s *Service) Verify(ctx context.Context) (Verified, error) {
	ctx, cancel := context.WithCancel(auth.System(ctx))
	defer cancel() // of what is loaded ahead
	v := verification{s: s}
	var err error
	if v.seen, _, err = s.remembered(); err != nil { // before the database is read: it was committed there
		return v.found, err
	}
	_, signed, err := newest(ctx, s.store.Read())
	if err != nil && !errors.Is(err, errEmpty) {
		return v.found, err
	}
	v.signed = signed
	// Servers go on meanwhile: what comes after this checkpoint is not looked at.
	v.checkpoints, err = s.store.Read().LogCheckpoint.Query().Where(logcheckpoint.SizeLTE(signed.Size)).Order(db.Asc(logcheckpoint.FieldSize)).All(ctx)
	if err != nil {
		return v.found, fmt.Errorf("load checkpoints: %w", err)
	}
	if v.found.Waiting, err = s.store.Read().ActivityEvent.Query().Where(activityevent.LogIndexIsNil()).Count(ctx); err != nil {
		return v.found, fmt.Errorf("count events: %w", err)
	}
	v.ahead(ctx, 0)
	for v.tree.Size < signed.Size && v.found.Difference == nil {
		if err := v.batch(ctx); err != nil {
			return v.found, err
		}
		v.found.Events = v.tree.Size
	}
	if v.found.Difference == nil && v.seen.Size > v.tree.Size {
		v.found.Difference = &Difference{v.tree.Size, fmt.Sprintf("it is missing: this server has seen a log of %d events (%s)", v.seen.Size, s.memory)}
	}
	return v.found, nil
}

// batch looks at the next events, and at the tiles and checkpoints that they make.
func (v *verification) batch(ctx context.Context) error {
	b, err := tlog.NewBuilder(v.tree, tiles(ctx, v.s.store.Read()))
	if err != nil {
		return err // its tiles were compared: they changed meanwhile
	}
	from := v.tree.Size
	until := min(from+verifyBatch, v.signed.Size)
	got := <-v.next
	if got.err != nil {
		return fmt.Errorf("load events from %d: %w", from, got.err)
	}
	events := got.events
	v.ahead(ctx, until)
	var first, signed *Difference
	for i := from; i < until && first == nil && signed == nil; i++ {
		if at := int(i - from); at >= len(events) || int64(*events[at].LogIndex) != i {
			first = &Difference{i, "it is missing"}
		} else if what := activity.Differs(events[at]); what != "" {
			first = &Difference{i, what + fmt.Sprintf(" (id %d, %s)", events[at].ID, events[at].Subject)}
		} else if err := b.Append(tlog.LeafHash(events[at].Leaf)); err != nil {
			return err
		} else if signed, err = v.compareSigned(b); err != nil {
			return err
		}
	}
	inTiles, err := v.compareTiles(ctx, b)
	if err != nil {
		return err
	}
	// A checkpoint says no more than that something before it differs: tiles and leaves say what.
	if v.found.Difference = first.before(inTiles); v.found.Difference == nil {
		v.found.Difference = signed
	}
	v.tree, err = b.Tree()
	return err
}

// compareSigned compares the checkpoint that is remembered, and the next one of the database, when the tree has its size.
func (v *verification) compareSigned(b *tlog.Builder) (*Difference, error) {
	if b.Size() == v.seen.Size {
		if tree, err := b.Tree(); err != nil || tree != v.seen {
			return &Difference{v.agreed, fmt.Sprintf("it or one of those up to %d is not the one that this server has seen (%s)", v.seen.Size-1, v.s.memory)}, err
		}
	}
	if v.found.Checkpoints >= len(v.checkpoints) || b.Size() != v.checkpoints[v.found.Checkpoints].Size {
		return nil, nil
	}
	row := v.checkpoints[v.found.Checkpoints]
	tree, err := b.Tree()
	if err != nil {
		return nil, err
	}
	if signed, err := v.s.signer.Open([]byte(row.Note)); err != nil {
		return &Difference{v.agreed, fmt.Sprintf("from it on, checkpoint %d: %v", row.Size, err)}, nil
	} else if signed != tree || !bytes.Equal(row.Root, tree.Root[:]) {
		return &Difference{v.agreed, fmt.Sprintf("it or one of those up to %d is not the one that checkpoint %d signs", row.Size-1, row.Size)}, nil
	}
	v.agreed = row.Size
	v.found.Checkpoints++
	return nil, nil
}

// compareTiles compares the tiles that were computed with those that are kept.
func (v *verification) compareTiles(ctx context.Context, b *tlog.Builder) (first *Difference, err error) {
	computed, err := b.Tiles()
	if err != nil {
		return nil, err
	}
	for _, want := range computed {
		row, err := v.s.store.Read().LogTile.Query().Where(logtile.Level(want.Level), logtile.Position(want.Position)).Only(ctx)
		if err != nil && !db.IsNotFound(err) {
			return nil, fmt.Errorf("load tile %s: %w", want.Path(), err)
		}
		var have []byte
		if row != nil {
			have = row.Hashes
		}
		for i := range want.Width {
			at := i * tlog.HashSize
			if len(have) >= at+tlog.HashSize && bytes.Equal(have[at:at+tlog.HashSize], want.Hashes[at:at+tlog.HashSize]) {
				continue
			}
			leaf := (want.Position*tlog.TileWidth + int64(i)) << (8 * want.Level)
			first = first.before(&Difference{leaf, fmt.Sprintf("tile %s holds another hash, or none, at %d", want.Path(), i)})
			break
		}
	}
	return first, nil
}
