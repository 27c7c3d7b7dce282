package client

import (
	"context"
	"time"
)

// tries is how often a request is sent at most.
const tries = 5

// Retry calls try until it succeeds or fails for good, at most five times, and returns its last error. Between, it waits, at
// first as long as pause says and then twice as long each time. Only what may be sent twice may be retried. It ends early when
// ctx is done.
func Retry(ctx context.Context, pause time.Duration, try func() error) error {
	for i := 1; ; i++ {
		err := try()
		if err == nil || i == tries || !temporary(err) || !wait(ctx, pause) {
			return err
		}
		pause *= 2
	}
}

// wait tells whether the time went by before ctx was done.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
