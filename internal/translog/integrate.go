package translog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/logtile"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// maxBatch is how many events go into the tree at once.
const maxBatch = 2048

// integratorLock is the Postgres advisory lock of the one server that makes the tree longer.
const integratorLock = 0x706c696d746c6f67 // "plimtlog"

// Integrate puts the events that are not in the tree yet there, at most so many at once, and signs the checkpoint. It
// returns how many. While another server does so, it does nothing.
func (s *Service) Integrate(ctx context.Context) (n int, err error) {
	ctx = auth.System(ctx)
	waiting, err := s.store.Read().ActivityEvent.Query().Where(activityevent.LogIndexIsNil()).Exist(ctx)
	if err != nil || !waiting {
		return 0, err
	}
	var made checkpoint
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		n, made, err = s.integrate(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("put events in the tree: %w", err)
	}
	if n > 0 {
		err = s.remember(made.size, made.note)
	}
	return n, err
}

// checkpoint is one that was signed.
type checkpoint struct {
	size int64
	note string
}

func (s *Service) integrate(ctx context.Context, tx *db.Client) (n int, made checkpoint, err error) {
	if first, err := s.alone(ctx, tx); err != nil || !first {
		return 0, made, err
	}
	_, old, err := s.checked(ctx, tx)
	if err != nil {
		return 0, made, err
	}
	leaves, err := s.sequence(ctx, tx, old.Size)
	if err != nil || len(leaves) == 0 {
		return 0, made, err
	}
	b, err := tlog.NewBuilder(old, tiles(ctx, tx))
	if err != nil {
		return 0, made, err
	}
	for _, l := range leaves {
		if err := b.Append(l); err != nil {
			return 0, made, err
		}
	}
	made, err = s.keep(ctx, tx, b)
	return len(leaves), made, err
}

// alone tells whether no other server integrates. On SQLite there is one writer, and on Postgres a lock that ends with the
// transaction: what its holder committed is seen by whoever takes it next.
func (s *Service) alone(ctx context.Context, tx *db.Client) (first bool, err error) {
	if s.store.Dialect() != dialect.Postgres {
		return true, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", int64(integratorLock))
	if err != nil {
		return false, fmt.Errorf("ask for the integrator's lock: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(&first); err != nil {
			return false, fmt.Errorf("ask for the integrator's lock: %w", err)
		}
	}
	return first, rows.Err()
}

// sequence gives events their places in the log from the next one on, and returns the hashes of their leaves in this
// order. Picking and numbering is one statement: a second one could see events that the first did not.
func (s *Service) sequence(ctx context.Context, tx *db.Client, next int64) (hashes []tlog.Hash, err error) {
	rows, err := tx.QueryContext(ctx, `UPDATE activity_events SET log_index = $1 + picked.place
FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
	FROM (SELECT id FROM activity_events WHERE log_index IS NULL ORDER BY id LIMIT $2) AS waiting) AS picked
WHERE activity_events.id = picked.id RETURNING log_index, leaf`, next, int64(maxBatch))
	if err != nil {
		return nil, fmt.Errorf("number events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	type numbered struct {
		index int64
		hash  tlog.Hash
	}
	var list []numbered
	for rows.Next() {
		var e numbered
		var leaf []byte
		if err := rows.Scan(&e.index, &leaf); err != nil {
			return nil, fmt.Errorf("number events: %w", err)
		}
		e.hash = tlog.LeafHash(leaf)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("number events: %w", err)
	}
	slices.SortFunc(list, func(a, b numbered) int { return int(a.index - b.index) })
	for i, e := range list {
		if e.index != next+int64(i) {
			return nil, fmt.Errorf("event %d of the log was numbered %d", next+int64(i), e.index)
		}
		hashes = append(hashes, e.hash)
	}
	return hashes, nil
}

// keep writes the tiles that changed, and the checkpoint.
func (s *Service) keep(ctx context.Context, tx *db.Client, b *tlog.Builder) (made checkpoint, err error) {
	changed, err := b.Tiles()
	if err != nil {
		return made, err
	}
	for _, t := range changed {
		err := tx.LogTile.Create().SetLevel(t.Level).SetPosition(t.Position).SetHashes(t.Hashes).
			OnConflict(sql.ConflictColumns(logtile.FieldLevel, logtile.FieldPosition)).UpdateHashes().Exec(ctx)
		if err != nil {
			return made, fmt.Errorf("keep tile %s: %w", t.Path(), err)
		}
	}
	tree, err := b.Tree()
	if err != nil {
		return made, err
	}
	note, err := s.signer.Sign(tree)
	if err != nil {
		return made, err
	}
	err = tx.LogCheckpoint.Create().SetSize(tree.Size).SetRoot(tree.Root[:]).SetNote(string(note)).SetCreatedAt(s.now()).Exec(ctx)
	if store.IsUnique(err) {
		return made, fmt.Errorf("another server keeps the tree of %d leaves: %w", tree.Size, err)
	}
	if err != nil {
		return made, fmt.Errorf("keep checkpoint %d: %w", tree.Size, err)
	}
	return checkpoint{tree.Size, string(note)}, nil
}

// tiles reads tiles as a client sees them.
func tiles(ctx context.Context, client *db.Client) tlog.Read {
	ctx = auth.System(ctx)
	return func(names []tlog.Tile) ([][]byte, error) {
		found := make([][]byte, len(names))
		for i, name := range names {
			row, err := client.LogTile.Query().Where(logtile.Level(name.Level), logtile.Position(name.Position)).Only(ctx)
			if db.IsNotFound(err) {
				return nil, fmt.Errorf("tile %s is not there: %w", name.Path(), err)
			}
			if err != nil {
				return nil, fmt.Errorf("load tile %s: %w", name.Path(), err)
			}
			found[i] = row.Hashes
		}
		return found, nil
	}
}
