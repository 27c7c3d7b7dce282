package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/store"
)

// LeafVersion is the version of the leaf's layout. A leaf once written is never laid out anew.
const LeafVersion = 1

// maxLeaf is what an entry of a C2SP tlog-tiles bundle can hold, in bytes.
const maxLeaf = 65535

// Log is the activity log.
type Log struct {
	store *store.Store
	now   func() time.Time
}

// New returns the activity log on a store; now is the clock.
func New(s *store.Store, now func() time.Time) *Log { return &Log{store: s, now: now} }

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
	actor, err := auth.From(ctx)
	if err != nil {
		return err
	}
	if e.Result == "" {
		e.Result = Success
	}
	at := l.now().UTC()
	bytes, openings, err := layOut(e, actor.Name, at)
	if err != nil {
		return fmt.Errorf("lay out event %s: %w", e.Type, err)
	}
	hash := tlog.RecordHash(bytes)
	create := tx.ActivityEvent.Create().
		SetAt(at).SetType(string(e.Type)).SetCategory(e.Type.category()).SetResult(e.Result).
		SetApplicationKey(e.Application).SetSubject(e.Subject).SetSummary(e.Summary).
		SetLeaf(bytes).SetLeafHash(hash[:])
	if e.Project != nil {
		create.SetProjectKey(e.Project.Key).SetProjectID(e.Project.ID)
	}
	event, err := create.Save(ctx)
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.Type, err)
	}
	rows := make([]*db.ActivityOpeningCreate, len(openings))
	for i, o := range openings {
		rows[i] = tx.ActivityOpening.Create().
			SetCommitment(o.commitment).SetSalt(o.salt).SetName(o.name).SetActor(o.actor).SetEventID(event.ID)
	}
	if err := tx.ActivityOpening.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write openings of event %s: %w", e.Type, err)
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
