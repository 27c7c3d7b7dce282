package rego

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Limits bound one evaluation. A zero field means that of DefaultLimits.
type Limits struct {
	Time   time.Duration
	Memory uint64 // bytes of live heap the evaluation may add
}

// DefaultLimits are 2 seconds and 256 MiB, some ten thousand times what a template over 500 components takes.
func DefaultLimits() Limits { return Limits{Time: 2 * time.Second, Memory: 256 << 20} }

// Reasons why an evaluation was stopped.
var (
	ErrTime   = errors.New("the evaluation took too long")
	ErrMemory = errors.New("the evaluation took too much memory")
)

const (
	// sampleEvery is how often the heap is looked at: often enough that an exploding rule, which allocates about a
	// gigabyte a second, is stopped near its bound; an ordinary evaluation is over before the first look.
	sampleEvery = 2 * time.Millisecond
	// stopGrace is how long an evaluation that was told to stop is waited for. OPA looks between expressions, so only
	// a single long built-in call needs it.
	stopGrace = time.Second

	heapObjects = "/memory/classes/heap/objects:bytes"
)

// Evaluate runs the policy over in. Whatever keeps it from a complete answer is an error: a built-in error, an
// undefined set, a value of the wrong shape, more than MaxViolations violations, ctx, ErrTime or ErrMemory.
//
// The memory bound is measured on the whole process, because Go does not attribute memory: a neighbour that takes as
// much within the same moments ends the evaluation too. That is an error as well, so the gate stays closed.
func (p *Policy) Evaluate(ctx context.Context, in Input, lim Limits) (Result, error) {
	if in.v == nil {
		return Result{}, errNoInput
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("evaluate policy %s: %w", p.info.Package, err)
	}
	result, err := p.bounded(ctx, in, lim.orDefault())
	if err != nil {
		return Result{}, fmt.Errorf("evaluate policy %s: %w", p.info.Package, err)
	}
	return result, nil
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Time > 0 {
		d.Time = l.Time
	}
	if l.Memory > 0 {
		d.Memory = l.Memory
	}
	return d
}

type answer struct {
	result Result
	err    error
}

// bounded runs the evaluation within its limits.
func (p *Policy) bounded(ctx context.Context, in Input, lim Limits) (Result, error) {
	cancel := topdown.NewCancel()
	a, err := within(ctx, lim, cancel.Cancel, func() answer { return p.run(ctx, in, cancel) })
	if err != nil {
		return Result{}, err
	}
	return a.result, a.err
}

// within does work beside the watch, so that the caller gets its answer even when a built-in does not stop: that one is left
// behind, and its result is dropped. Stop tells the work that a bound was reached. Work must not panic.
func within[T any](ctx context.Context, lim Limits, stop func(), work func() T) (T, error) {
	done := make(chan T, 1)
	go func() { done <- work() }()

	var none T
	a, stopped := watch(ctx, lim, done)
	if stopped == nil {
		return a, nil
	}
	stop()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		return none, fmt.Errorf("%w, and one built-in call is still running", stopped)
	}
	return none, stopped
}

// watch waits for the answer; its error says which bound was reached before.
func watch[T any](ctx context.Context, lim Limits, done <-chan T) (T, error) {
	deadline := time.NewTimer(lim.Time)
	defer deadline.Stop()
	sample := time.NewTicker(sampleEvery)
	defer sample.Stop()
	var none T
	ceiling := uint64(0)
	for {
		select {
		case a := <-done:
			return a, nil
		case <-ctx.Done():
			return none, ctx.Err()
		case <-deadline.C:
			return none, fmt.Errorf("%w: the limit is %v", ErrTime, lim.Time)
		case <-sample.C:
			if ceiling == 0 {
				ceiling = heap() + lim.Memory
			}
			if heap() <= ceiling {
				continue
			}
			runtime.GC() // what is over may be garbage, of this evaluation or of a neighbour: only live memory counts
			if heap() > ceiling {
				return none, fmt.Errorf("%w: the limit is %d bytes", ErrMemory, lim.Memory)
			}
		}
	}
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: heapObjects}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// run evaluates and reads the result. A panic in OPA is an error of this evaluation, not the end of the server.
func (p *Policy) run(ctx context.Context, in Input, cancel topdown.Cancel) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{err: fmt.Errorf("the engine failed: %v", r)}
		}
	}()
	rs, err := p.eval.Eval(ctx,
		rego.EvalParsedInput(in.v),
		rego.EvalExternalCancel(cancel),
		rego.EvalSortSets(true),
	)
	if err != nil {
		return answer{err: err}
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return answer{err: errors.New("the result is undefined")}
	}
	result, err := readResult(rs[0].Expressions[0].Value)
	return answer{result, err}
}
