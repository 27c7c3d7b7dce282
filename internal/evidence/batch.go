package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// MaxBatch is how many pieces of evidence are taken at once.
const MaxBatch = 1000

// Result is what became of one piece of evidence of a batch.
type Result struct {
	// Index is the item it is of, from 0.
	Index int
	// Evidence is nil when it was refused.
	Evidence     *db.Evidence
	AlreadyKnown bool
	// Refused says why; nil when it was not. The path is within the item.
	Refused *fault.Error
}

// piece is one claim of a batch on its way.
type piece struct {
	entry
	index int
	known *db.Evidence
	id    int
	again bool
	fault *fault.Error
}

// SubmitBatch takes up to MaxBatch pieces of evidence. Each is taken or refused by itself; those that are taken are durable
// together, in one transaction. A failure that is nobody's input fails the batch, and nothing of it is there.
func (s *Service) SubmitBatch(ctx context.Context, in SubmitEvidenceBatchInput) ([]Result, error) {
	if len(in.Items) == 0 {
		return nil, fault.At("input.items", "give at least one piece of evidence")
	}
	if err := check.List("input.items", len(in.Items), MaxBatch); err != nil {
		return nil, err
	}
	if _, err := reachOf(ctx); err != nil {
		return nil, err
	}
	pieces, err := s.examineAll(ctx, in.Items)
	if err != nil {
		return nil, err
	}
	if len(pieces) > MaxBatch {
		return nil, fault.At("input.items", "hold %d attestations in all; at most %d are taken at once", len(pieces), MaxBatch)
	}
	if err := s.writeAll(ctx, pieces); err != nil {
		return nil, err
	}
	return s.results(ctx, pieces)
}

// examineAll reads and judges the items, as many at a time as there are processors.
func (s *Service) examineAll(ctx context.Context, items []*SubmitEvidenceInput) ([]*piece, error) {
	found := make([][]*piece, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, item := range items {
		group.Go(func() error {
			r, claims, err := s.read(ctx, *item)
			if err != nil {
				found[i] = []*piece{{index: i}}
				return found[i][0].refuse(err)
			}
			for _, c := range claims {
				p := &piece{index: i}
				found[i] = append(found[i], p)
				if p.entry, p.known, err = s.examine(ctx, r, item.Provider, c); err != nil {
					if err := p.refuse(err); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// refuse notes a fault of the item; any other error it gives back.
func (p *piece) refuse(err error) error {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	within := *refused
	within.Path = strings.TrimPrefix(within.Path, "input.")
	p.fault = &within
	return nil
}

// writeAll records what is new in one transaction, ordered by digest: on Postgres two batches that share evidence wait for
// each other one way only.
func (s *Service) writeAll(ctx context.Context, pieces []*piece) error {
	var fresh []*piece
	for _, p := range pieces {
		if p.fault == nil && p.known == nil {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	slices.SortStableFunc(fresh, func(a, b *piece) int {
		return cmp.Or(cmp.Compare(a.digest, b.digest), cmp.Compare(a.signerKey, b.signerKey))
	})
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		for _, p := range fresh {
			var err error
			if p.id, p.again, err = s.writeOne(ctx, tx, p.entry); err != nil {
				if err := p.refuse(err); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range fresh {
		if p.fault == nil && !p.again {
			s.remember(p.entry)
		}
	}
	return nil
}

// results reads the records again, as they stand after the commit.
func (s *Service) results(ctx context.Context, pieces []*piece) ([]Result, error) {
	var ids []int
	for _, p := range pieces {
		if p.id != 0 {
			ids = append(ids, p.id)
		}
	}
	rows, err := s.store.Read().Evidence.Query().Where(evidence.IDIn(ids...)).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load evidence: %w", err)
	}
	byID := make(map[int]*db.Evidence, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	results := make([]Result, len(pieces))
	for i, p := range pieces {
		results[i] = Result{Index: p.index, Refused: p.fault, Evidence: p.known, AlreadyKnown: p.known != nil || p.again}
		if p.id != 0 {
			results[i].Evidence = byID[p.id]
		}
	}
	return results, nil
}
