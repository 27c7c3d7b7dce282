package export

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
)

// shown is an event as activityLog shows it. Bytes are base64.
type shown struct {
	LogIndex    int      `json:"logIndex"`
	LeafHash    []byte   `json:"leafHash"`
	At          string   `json:"at"`
	Type        string   `json:"type"`
	Category    string   `json:"category"`
	Result      string   `json:"result"`
	Project     string   `json:"project,omitempty"`
	Application string   `json:"application,omitempty"`
	Subject     string   `json:"subject"`
	Summary     string   `json:"summary"`
	Changes     []change `json:"changes"`
	Actor       string   `json:"actor"`
	Leaf        []byte   `json:"leaf"`
}

// change is a field that changed, of which nothing stands where there was, or is, nothing.
type change struct {
	Field string  `json:"field"`
	From  *string `json:"from,omitempty"`
	To    *string `json:"to,omitempty"`
}

// show opens an event: people who were erased stay erased.
func show(e *db.ActivityEvent) (shown, error) {
	// The openings are loaded, so nothing is read, and no context is needed.
	ctx := context.Background()
	actor, err := activity.Actor(ctx, e)
	if err != nil {
		return shown{}, err
	}
	changed, err := activity.Changes(ctx, e)
	if err != nil {
		return shown{}, err
	}
	out := shown{
		LogIndex: *e.LogIndex, LeafHash: e.LeafHash, At: e.At.UTC().Format(time.RFC3339Nano), Type: e.Type, Category: string(e.Category),
		Result: string(e.Result), Project: e.ProjectKey, Application: e.ApplicationKey, Subject: e.Subject, Summary: e.Summary,
		Changes: make([]change, len(changed)), Actor: actor, Leaf: e.Leaf,
	}
	for i, c := range changed {
		out.Changes[i] = change(*c)
	}
	return out, nil
}

// of gives the new value of a field that changed; empty when none did.
func (s shown) of(field string) string {
	for _, c := range s.Changes {
		if c.Field == field && c.To != nil {
			return *c.To
		}
	}
	return ""
}

func layJSON(e *db.ActivityEvent, to []byte) ([]byte, error) {
	s, err := show(e)
	if err != nil {
		return nil, err
	}
	return line(to, s)
}
