package graph

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// quiet is how long nobody must have asked before a gatherer goes: longer than the nodes of a list take to ask one after
// another. It is waited for by yielding, because a timer of an idle process fires after a millisecond at the earliest, which
// is as long as ten queries take.
const quiet = 20 * time.Microsecond

// yields is how often others are let run at least before a gatherer goes: on a busy machine time passes without them.
const yields = 8

// gatherer asks once for what many nodes want, and never twice for the same. What is not found is the zero value.
type gatherer[K comparable, V any] struct {
	all  func(context.Context, []K) (map[K]V, error)
	mu   sync.Mutex
	of   map[K]*gathering[K, V]
	open *gathering[K, V] // nil when the next to ask begins one
}

// gathering is one question and, once done is closed, its answer.
type gathering[K comparable, V any] struct {
	keys  []K
	found map[K]V
	err   error
	done  chan struct{}
}

func gather[K comparable, V any](all func(context.Context, []K) (map[K]V, error)) *gatherer[K, V] {
	return &gatherer[K, V]{all: all, of: map[K]*gathering[K, V]{}}
}

// Load returns what is found for the key. Whoever asks first waits for the others and asks for all of them.
func (g *gatherer[K, V]) Load(ctx context.Context, key K) (V, error) {
	g.mu.Lock()
	in, first := g.of[key], false
	if in == nil {
		if g.open == nil {
			g.open, first = &gathering[K, V]{err: errors.New("a look-up ended early"), done: make(chan struct{})}, true
		}
		in = g.open
		in.keys = append(in.keys, key)
		g.of[key] = in
	}
	g.mu.Unlock()
	if first {
		g.answer(ctx, in)
	}
	<-in.done
	return in.found[key], in.err
}

func (g *gatherer[K, V]) answer(ctx context.Context, in *gathering[K, V]) {
	defer close(in.done)
	g.settle(in)
	in.found, in.err = g.all(ctx, in.keys)
}

// settle waits until nobody joins any more, and closes the door.
func (g *gatherer[K, V]) settle(in *gathering[K, V]) {
	for joined, since, n := 0, time.Now(), 0; ; n++ {
		g.mu.Lock()
		if len(in.keys) > joined {
			joined, since, n = len(in.keys), time.Now(), 0
		} else if n >= yields && time.Since(since) > quiet {
			g.open = nil
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		runtime.Gosched()
	}
}
