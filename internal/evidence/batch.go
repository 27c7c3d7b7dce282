package evidence

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/ent/db"
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
	written
	index int
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
	if err := s.writeNew(ctx, pieces); err != nil {
		return nil, err
	}
	results := make([]Result, len(pieces))
	for i, p := range pieces {
		results[i] = Result{Index: p.index, Refused: p.fault, Evidence: p.row, AlreadyKnown: p.again}
	}
	return results, nil
}

// examineAll reads and judges the items, as many at a time as there are processors.
func (s *Service) examineAll(ctx context.Context, items []*SubmitEvidenceInput) ([]*piece, error) {
	anchors, err := s.anchors(ctx)
	if err != nil {
		return nil, err
	}
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
				p.entry, p.row, err = s.examine(ctx, r, anchors, item.Provider, c)
				if p.again = p.row != nil; err == nil && !p.again {
					err = s.prepare(ctx, &p.entry)
				}
				if err := p.refuse(err); err != nil {
					return err
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
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	within := *refused
	within.Path = strings.TrimPrefix(within.Path, "input.")
	p.fault = &within
	return nil
}

// writeNew records what is new in one transaction.
func (s *Service) writeNew(ctx context.Context, pieces []*piece) error {
	var fresh []*written
	for _, p := range pieces {
		if p.fault == nil && p.row == nil {
			p.ctx = ctx
			fresh = append(fresh, &p.written)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return s.writeAll(ctx, fresh)
}
