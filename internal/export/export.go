package export

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/translog"
)

const (
	// DefaultLimit is how many events an export has at most when nobody says how many.
	DefaultLimit = 10_000
	// MaxLimit is how many it can be told to have.
	MaxLimit = 100_000
	// batch is how many events are held at once.
	batch = 512
)

// Format is how a line is written.
type Format string

// What lines can be.
const (
	JSONL Format = "jsonl"
	OCSF  Format = "ocsf"
)

// Service exports the log.
type Service struct {
	store   *store.Store
	tree    *translog.Service
	program string
}

// New returns the service; program is the version of Plimsoll that lines name.
func New(s *store.Store, tree *translog.Service, program string) *Service {
	return &Service{store: s, tree: tree, program: program}
}

// Input says what to export.
type Input struct {
	// From is the index of the first event.
	From int64
	// Limit is how many events to write at most.
	Limit int64
	// Format is JSONL or OCSF.
	Format Format
}

// Run is an export that may begin: whoever asked may read it, and how far it goes is known.
type Run struct {
	s          *Service
	from, to   int64 // the first event, and the one after the last
	checkpoint string
	lay        func(*db.ActivityEvent, []byte) ([]byte, error)
}

// Open finds out whether the export may begin. The events that it writes are those of the newest checkpoint: what happens
// later is for the next one.
func (s *Service) Open(ctx context.Context, in Input) (*Run, error) {
	p, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	if !p.Holds(auth.Organisation, auth.OrganisationAdmin, auth.Auditor) {
		return nil, fault.New(fault.Forbidden, "the export of the log needs one of the roles %s, %s on the organisation", auth.OrganisationAdmin, auth.Auditor)
	}
	if in.Limit < 1 || in.Limit > MaxLimit {
		return nil, fault.At("limit", "must be from 1 to %d: ask again from where an export ends", MaxLimit)
	}
	if in.Format != JSONL && in.Format != OCSF {
		return nil, fault.At("format", "must be %s or %s", JSONL, OCSF)
	}
	note, err := s.tree.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	origin, size, err := readNote(string(note))
	if err != nil {
		return nil, err
	}
	if in.From < 0 || in.From > size {
		return nil, fault.At("from", "must be from 0 to %d, the size of the log; a log that was longer before was put back from a backup", size)
	}
	r := &Run{s: s, from: in.From, to: min(size, in.From+in.Limit), checkpoint: string(note), lay: layJSON}
	if in.Format == OCSF {
		r.lay = func(e *db.ActivityEvent, to []byte) ([]byte, error) { return s.layOCSF(origin, e, to) }
	}
	return r, nil
}

// readNote gives the first two lines of a checkpoint: which log, and how many events.
func readNote(note string) (origin string, size int64, err error) {
	lines := strings.SplitN(note, "\n", 3)
	if len(lines) < 3 {
		return "", 0, fmt.Errorf("%q is no checkpoint", note)
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	return lines[0], size, err
}

// Write writes the lines. It holds few of them at once, however many there are.
func (r *Run) Write(ctx context.Context, w io.Writer) error {
	var lines []byte
	for from := r.from; from < r.to; from += batch {
		events, err := r.events(ctx, from, min(from+batch, r.to))
		if err != nil {
			return err
		}
		lines = lines[:0]
		for _, e := range events {
			if lines, err = r.lay(e, lines); err != nil {
				return err
			}
		}
		if _, err := w.Write(lines); err != nil {
			return fmt.Errorf("write events from %d: %w", from, err)
		}
	}
	last, err := line(lines[:0], map[string]any{"checkpoint": r.checkpoint, "next": r.to})
	if err != nil {
		return err
	}
	if _, err := w.Write(last); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

// events reads those from one index to before another. All of them are in the tree, so one that lacks was deleted.
func (r *Run) events(ctx context.Context, from, until int64) ([]*db.ActivityEvent, error) {
	events, err := r.s.store.Read().ActivityEvent.Query().
		Where(activityevent.LogIndexGTE(int(from)), activityevent.LogIndexLT(int(until))).
		WithOpenings().Order(db.Asc(activityevent.FieldLogIndex)).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load events from %d: %w", from, err)
	}
	for i := range until - from {
		if i >= int64(len(events)) || int64(*events[i].LogIndex) != from+i {
			return nil, fmt.Errorf("event %d of the log is missing", from+i)
		}
	}
	return events, nil
}

// line appends one JSON object and the end of the line.
func line(to []byte, v any) ([]byte, error) {
	w := appender{to}
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return w.bytes, err
}

type appender struct{ bytes []byte }

func (a *appender) Write(b []byte) (int, error) {
	a.bytes = append(a.bytes, b...)
	return len(b), nil
}
