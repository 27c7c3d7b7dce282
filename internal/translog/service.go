package translog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/logcheckpoint"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

const (
	// gather is how long Run waits for more events after the first, so that many share a checkpoint.
	gather = 50 * time.Millisecond
	// pace is the least time between two checkpoints while events come all the time: what each costs is shared by more of them.
	pace = 250 * time.Millisecond
	// look is how often Run looks for events that nobody told it of: those of other servers.
	look = 400 * time.Millisecond
)

// Service keeps the tree.
type Service struct {
	store  *store.Store
	events *activity.Log
	signer *tlog.Signer
	now    func() time.Time
	failed atomic.Pointer[error]
	// memory is the path of the file with the newest checkpoint that was seen; empty: none is remembered.
	memory      string
	remembering sync.Mutex
	witnesses   []attended
	post        Post
}

// New returns the service; signer signs its checkpoints, and now is the clock.
func New(s *store.Store, events *activity.Log, signer *tlog.Signer, now func() time.Time) *Service {
	return &Service{store: s, events: events, signer: signer, now: now}
}

// Keys verify the checkpoints, as signed notes write keys: one a line, the newest first.
func (s *Service) Keys() string { return strings.Join(s.signer.Keys(), "\n") }

// Run puts events in the tree until ctx is done, and has witnesses cosign its checkpoints.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	var attending sync.WaitGroup
	defer attending.Wait()
	for _, w := range s.witnesses {
		attending.Go(func() { s.attend(ctx, w, log) })
	}
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		n, err := s.Integrate(ctx)
		if err == nil && n == 0 {
			err = s.CheckMemory(ctx) // other servers make the tree longer, too
		}
		if ctx.Err() == nil {
			s.note(ctx, log, err)
		}
		if n > 0 {
			s.wakeWitnesses()
		}
		if n == maxBatch {
			continue
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-s.events.Appended():
			select {
			case <-ctx.Done():
			case <-time.After(max(gather, pace-time.Since(began))):
			}
		}
	}
}

// note remembers a failure for Ready, and logs the first of a row.
func (s *Service) note(ctx context.Context, log *slog.Logger, err error) {
	if err == nil {
		if s.failed.Swap(nil) != nil {
			log.InfoContext(ctx, "events go into the log's tree again")
		}
		return
	}
	if before := s.failed.Swap(&err); before == nil || (*before).Error() != err.Error() {
		log.ErrorContext(ctx, "events do not go into the log's tree", slog.Any("error", err))
	}
}

// Ready fails while events cannot be put in the tree.
func (s *Service) Ready(context.Context) error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// errEmpty is of a log without a checkpoint yet.
var errEmpty = errors.New("the log has no checkpoint yet")

// newest returns the newest checkpoint as a client sees it: errEmpty when there is none.
func newest(ctx context.Context, client *db.Client) (*db.LogCheckpoint, tlog.Tree, error) {
	row, err := client.LogCheckpoint.Query().Order(db.Desc(logcheckpoint.FieldSize)).First(auth.System(ctx))
	if db.IsNotFound(err) {
		return nil, tlog.Tree{}, errEmpty
	}
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("load the newest checkpoint: %w", err)
	}
	tree, err := treeOf(row)
	return row, tree, err
}

func treeOf(row *db.LogCheckpoint) (tlog.Tree, error) {
	t := tlog.Tree{Size: row.Size}
	if copy(t.Root[:], row.Root) != tlog.HashSize || len(row.Root) != tlog.HashSize {
		return t, fmt.Errorf("the root of checkpoint %d has %d bytes", row.Size, len(row.Root))
	}
	return t, nil
}
