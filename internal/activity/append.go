package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// LeafVersion is the version of the leaf's layout. A leaf once written is never laid out anew.
const LeafVersion = 1

// maxLeaf is what an entry of a C2SP tlog-tiles bundle can hold, in bytes.
const maxLeaf = 65535

// Log is the activity log.
type Log struct {
	store    *store.Store
	now      func() time.Time
	appended chan struct{}
}

// New returns the activity log on a store; now is the clock.
func New(s *store.Store, now func() time.Time) *Log {
	return &Log{store: s, now: now, appended: make(chan struct{}, 1)}
}

// Appended tells that events were written, by transactions that may not be committed yet. It is for one reader, who looks
// now and then without being told, too.
func (l *Log) Appended() <-chan struct{} { return l.appended }

// leaf is what the Merkle tree commits to, as canonical JSON. Its id makes two equal happenings two leaves.
type leaf struct {
	Version     int          `json:"v"`
	ID          string       `json:"id"`
	At          string       `json:"at"`
	Type        Type         `json:"type"`
	Result      string       `json:"result"`
	Actor       commitment   `json:"actor"`
	Project     string       `json:"project,omitempty"`
	Application string       `json:"application,omitempty"`
	Subject     string       `json:"subject"`
	Summary     string       `json:"summary"`
	Changes     []leafChange `json:"changes,omitempty"`
}

type leafChange struct {
	Field string `json:"field"`
	From  any    `json:"from,omitempty"`
	To    any    `json:"to,omitempty"`
}

// commitment stands for a person: the SHA-256 of a random salt and the name. Without the salt, which lies beside the
// leaf and can be deleted, the name cannot be found even by trying all names.
type commitment struct {
	Commitment string `json:"commitment"`
}

type opening struct {
	commitment, salt, name string
	actor                  bool
}

func commit(name string, actor bool) (commitment, opening) {
	salt := id.Random(16)
	c := Commitment(salt, name)
	return commitment{c}, opening{commitment: c, salt: salt, name: name, actor: actor}
}

// Commitment returns what stands in a leaf for a person: the digest of the salt, a zero byte and the name.
func Commitment(salt, name string) string {
	return canonical.Digest([]byte(salt + "\x00" + name))
}

// Append writes one event in the caller's transaction: the event is there exactly if what it tells is. Whoever acts in
// ctx is its actor.
func (l *Log) Append(ctx context.Context, tx *db.Client, e Event) error {
	entry, err := l.LayOut(ctx, e)
	if err != nil {
		return err
	}
	return l.Write(ctx, tx, entry)
}

// Entry is an event laid out for the log, with its actor and instant.
type Entry struct {
	event    Event
	actor    auth.Principal
	at       time.Time
	leaf     []byte
	hash     tlog.Hash
	openings []opening
}

// LayOut prepares an event to be written. Whoever acts in ctx is its actor, and now is when it happened.
func (l *Log) LayOut(ctx context.Context, e Event) (Entry, error) {
	actor, err := auth.From(ctx)
	if err != nil {
		return Entry{}, err
	}
	if e.Result == "" {
		e.Result = Success
	}
	out := Entry{event: e, actor: actor, at: l.now().UTC()}
	if out.leaf, out.openings, err = layOut(e, actor.Name, out.at); err != nil {
		return Entry{}, fmt.Errorf("lay out event %s: %w", e.Type, err)
	}
	out.hash = tlog.LeafHash(out.leaf)
	return out, nil
}

// Write writes events in the caller's transaction, each laid out once and written once.
func (l *Log) Write(ctx context.Context, tx *db.Client, entries ...Entry) error {
	events := store.Rows{Table: activityevent.Table, Columns: []string{
		activityevent.FieldAt, activityevent.FieldType, activityevent.FieldCategory, activityevent.FieldResult,
		activityevent.FieldProjectKey, activityevent.FieldProjectID, activityevent.FieldApplicationKey,
		activityevent.FieldSubject, activityevent.FieldSummary, activityevent.FieldLeaf, activityevent.FieldLeafHash,
	}, Returning: []string{activityevent.FieldID, activityevent.FieldLeafHash}}
	for _, e := range entries {
		var key string
		var project *int
		if e.event.Project != nil {
			key, project = e.event.Project.Key, &e.event.Project.ID
		}
		events.Add(e.at, string(e.event.Type), string(e.event.Type.category()), string(e.event.Result), key, project, e.event.Application,
			e.event.Subject, e.event.Summary, e.leaf, e.hash[:])
	}
	ids := make(map[string]int, len(entries)) // by leaf hash: no two leaves are equal
	err := l.store.Insert(ctx, tx, events, func(dest func(...any) error) error {
		var id int
		var hash []byte
		err := dest(&id, &hash)
		ids[string(hash)] = id
		return err
	})
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	openings := store.Rows{Table: activityopening.Table, Columns: []string{
		activityopening.FieldCommitment, activityopening.FieldSalt, activityopening.FieldName, activityopening.FieldActor, activityopening.FieldEventID,
	}}
	known, err := stillKnown(ctx, tx, entries)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, o := range e.openings {
			if o.actor && !known[e.actor.ID] {
				continue
			}
			openings.Add(o.commitment, o.salt, o.name, o.actor, ids[string(e.hash[:])])
		}
	}
	if err := l.store.Insert(ctx, tx, openings, nil); err != nil {
		return fmt.Errorf("write openings of events: %w", err)
	}
	select {
	case l.appended <- struct{}{}:
	default: // whoever reads is behind already, and will see these, too
	}
	return nil
}

// layOut gives the leaf's bytes and what opens its commitments. Changes that would make the leaf longer than the log
// can hold are replaced by their digest, so that the leaf still commits to every one of them.
func layOut(e Event, actor string, at time.Time) ([]byte, []opening, error) {
	who, open := commit(actor, true)
	openings := []opening{open}
	value := func(v *Value) any {
		switch {
		case v == nil:
			return nil
		case v.person:
			c, o := commit(v.text, false)
			openings = append(openings, o)
			return c
		default:
			return v.text
		}
	}
	out := leaf{
		Version: LeafVersion, ID: id.Random(16), At: at.Format(time.RFC3339Nano), Type: e.Type, Result: string(e.Result),
		Actor: who, Application: e.Application, Subject: e.Subject, Summary: e.Summary,
	}
	if e.Project != nil {
		out.Project = e.Project.Key
	}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, leafChange{Field: c.Field, From: value(c.From), To: value(c.To)})
	}
	b, err := canonical.JSON(out)
	if err != nil || len(b) <= maxLeaf {
		return b, openings, err
	}
	all, err := json.Marshal(out.Changes)
	if err != nil {
		return nil, nil, err
	}
	out.Changes = []leafChange{{Field: fmt.Sprintf("%d changes", len(out.Changes)), To: canonical.Digest(all)}}
	b, err = canonical.JSON(out)
	return b, openings, err
}
