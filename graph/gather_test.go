package graph_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/graph"
)

func TestWhatManyNodesWantIsAskedForOnce(t *testing.T) {
	const nodes = 200
	var calls, keys atomic.Int64
	load := graph.Gather(func(_ context.Context, ids []int) (map[int]string, error) {
		calls.Add(1)
		keys.Add(int64(len(ids)))
		found := map[int]string{}
		for _, id := range ids {
			if id != 7 {
				found[id] = strconv.Itoa(id)
			}
		}
		return found, nil
	})
	begin := make(chan struct{})
	var wait sync.WaitGroup
	for i := range nodes {
		wait.Go(func() {
			<-begin
			id := i % (nodes / 2) // every key is asked for twice
			want := strconv.Itoa(id)
			if id == 7 {
				want = ""
			}
			if got, err := load(t.Context(), id); err != nil || got != want {
				t.Errorf("%d: %q, %v", id, got, err)
			}
		})
	}
	close(begin)
	wait.Wait()
	if keys.Load() != nodes/2 {
		t.Errorf("%d keys were looked up, for %d", keys.Load(), nodes/2)
	}
	// Who is late, on a busy machine, is in a further question. Without gathering there would be a hundred.
	if calls.Load() > 40 {
		t.Errorf("%d questions", calls.Load())
	}
	if got, err := load(t.Context(), 3); err != nil || got != "3" || keys.Load() != nodes/2 {
		t.Errorf("later: %q, %v, %d keys", got, err, keys.Load())
	}
}

func TestALookUpThatFailsFailsForAll(t *testing.T) {
	broken := errors.New("the disk is gone")
	load := graph.Gather(func(context.Context, []int) (map[int]string, error) { return nil, broken })
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			if _, err := load(t.Context(), i); !errors.Is(err, broken) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wait.Wait()
}

func TestALookUpThatPanicsKeepsNobodyWaiting(t *testing.T) {
	load := graph.Gather(func(context.Context, []int) (map[int]string, error) { panic("a bug") })
	var panics, errs atomic.Int64
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			defer func() {
				if recover() != nil {
					panics.Add(1)
				}
			}()
			if _, err := load(t.Context(), 1); err != nil {
				errs.Add(1)
			}
		})
	}
	wait.Wait()
	if panics.Load() != 1 || errs.Load() != 19 {
		t.Errorf("%d panics, %d errors", panics.Load(), errs.Load())
	}
}
