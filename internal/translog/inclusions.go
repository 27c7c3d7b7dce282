package translog

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/logtile"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// Inclusions proves events at indexes against one checkpoint, the newest, which is returned beside. Each proof holds it, too.
// Tiles are read at once, however many events there are. It tells nothing of the events.
func (s *Service) Inclusions(ctx context.Context, indexes []int) (checkpoint []byte, proofs []tlog.Proof, err error) {
	if checkpoint, err = s.Checkpoint(ctx); err != nil {
		return nil, nil, err
	}
	tree, err := s.signer.Open(checkpoint)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range indexes {
		if i < 0 || int64(i) >= tree.Size {
			return nil, nil, fault.New(fault.NotFound, "the log has no event at %d: it has %d", i, tree.Size).With("path", "logIndex")
		}
	}
	read, err := s.tilesFor(ctx, tree, indexes)
	if err != nil {
		return nil, nil, err
	}
	proofs = make([]tlog.Proof, len(indexes))
	for n, i := range indexes {
		_, hashes, err := tlog.ProveInclusion(tree, int64(i), read)
		if err != nil {
			return nil, nil, err
		}
		proofs[n] = tlog.Proof{Index: int64(i), Hashes: hashes, Checkpoint: checkpoint}
	}
	return checkpoint, proofs, nil
}

// tilesFor reads the tiles that proofs of leaves need: those above the leaves, and above the last one, the right edge.
func (s *Service) tilesFor(ctx context.Context, tree tlog.Tree, leaves []int) (tlog.Read, error) {
	type place struct {
		level    int
		position int64
	}
	var levels []predicate.LogTile
	for level, width := 0, int64(1); width < tree.Size || level == 0; level, width = level+1, width*tlog.TileWidth {
		at := []int64{(tree.Size - 1) / width / tlog.TileWidth}
		for _, leaf := range leaves {
			at = append(at, int64(leaf)/width/tlog.TileWidth)
		}
		slices.Sort(at)
		levels = append(levels, logtile.And(logtile.Level(level), logtile.PositionIn(slices.Compact(at)...)))
	}
	rows, err := s.store.Read().LogTile.Query().Where(logtile.Or(levels...)).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load the tiles of proofs: %w", err)
	}
	found := make(map[place]*db.LogTile, len(rows))
	for _, row := range rows {
		found[place{row.Level, row.Position}] = row
	}
	others := tiles(ctx, s.store.Read())
	return func(names []tlog.Tile) ([][]byte, error) {
		out := make([][]byte, len(names))
		for i, name := range names {
			if row := found[place{name.Level, name.Position}]; row != nil {
				out[i] = row.Hashes
				continue
			}
			one, err := others(names[i : i+1])
			if err != nil {
				return nil, err
			}
			out[i] = one[0]
		}
		return out, nil
	}, nil
}

// WitnessKeys verify the cosignatures of the witnesses that Run sends checkpoints to, as signed notes write keys.
func (s *Service) WitnessKeys() []string {
	keys := make([]string, len(s.witnesses))
	for i, w := range s.witnesses {
		keys[i] = w.Key()
	}
	return keys
}
