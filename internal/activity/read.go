package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Erased is shown for a person whose name was erased.
const Erased = "erased"

// maxFilter is how many values one field of a Filter takes.
const maxFilter = 100

// Filter says what to look for; everything given must hold.
type Filter struct {
	ProjectKeys     []string
	ApplicationKeys []string
	Actors          []string
	Types           []string
	Categories      []string
	Results         []string
	Subject         *string
	// From is the first instant, To the one after the last.
	From, To *time.Time
}

// Events returns a page of the log, newest first.
func (l *Log) Events(ctx context.Context, f *Filter, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ActivityEventConnection, error) {
	if f == nil {
		f = &Filter{}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	newestFirst := db.WithActivityEventOrder(&db.ActivityEventOrder{Direction: entgql.OrderDirectionDesc, Field: db.DefaultActivityEventOrder.Field})
	return l.store.Read().ActivityEvent.Query().Where(f.predicates()...).
		WithOpenings(func(q *db.ActivityOpeningQuery) { q.Order(activityopening.ByID()) }).
		Paginate(ctx, after, first, before, last, newestFirst)
}

func (f *Filter) check() error {
	lists := map[string]int{
		"projectKeys": len(f.ProjectKeys), "applicationKeys": len(f.ApplicationKeys), "actors": len(f.Actors),
		"types": len(f.Types), "categories": len(f.Categories), "results": len(f.Results),
	}
	for name, n := range lists {
		if n > maxFilter {
			return fault.At("where."+name, "at most %d values, got %d", maxFilter, n)
		}
	}
	return nil
}

func (f *Filter) predicates() []predicate.ActivityEvent {
	var ps []predicate.ActivityEvent
	if f.ProjectKeys != nil {
		ps = append(ps, activityevent.ProjectKeyIn(f.ProjectKeys...))
	}
	if f.ApplicationKeys != nil {
		ps = append(ps, activityevent.ApplicationKeyIn(f.ApplicationKeys...))
	}
	if f.Actors != nil {
		ps = append(ps, activityevent.HasOpeningsWith(activityopening.NameIn(f.Actors...), activityopening.Actor(true)))
	}
	if f.Types != nil {
		ps = append(ps, activityevent.TypeIn(f.Types...))
	}
	if f.Categories != nil {
		ps = append(ps, activityevent.CategoryIn(cast[activityevent.Category](f.Categories)...))
	}
	if f.Results != nil {
		ps = append(ps, activityevent.ResultIn(cast[activityevent.Result](f.Results)...))
	}
	if f.Subject != nil {
		ps = append(ps, activityevent.Subject(*f.Subject))
	}
	if f.From != nil {
		ps = append(ps, activityevent.AtGTE(*f.From))
	}
	if f.To != nil {
		ps = append(ps, activityevent.AtLT(*f.To))
	}
	return ps
}

func cast[T ~string](names []string) []T {
	out := make([]T, len(names))
	for i, n := range names {
		out[i] = T(n)
	}
	return out
}

// ShownChange is a change as it is shown: commitments opened, or Erased.
type ShownChange struct {
	Field    string
	From, To *string
}

// Actor returns who acted.
func Actor(ctx context.Context, e *db.ActivityEvent) (string, error) {
	openings, err := openings(ctx, e)
	if err != nil {
		return "", err
	}
	for _, o := range openings {
		if o.Actor {
			return o.Name, nil
		}
	}
	return Erased, nil
}

// openings returns what opens the commitments of an event's leaf; Events reads them along with the page.
func openings(ctx context.Context, e *db.ActivityEvent) ([]*db.ActivityOpening, error) {
	list, err := e.Edges.OpeningsOrErr()
	if db.IsNotLoaded(err) {
		list, err = e.QueryOpenings().All(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("load openings of event %d: %w", e.ID, err)
	}
	return list, nil
}

// Changes returns what an event's leaf says has changed.
func Changes(ctx context.Context, e *db.ActivityEvent) ([]*ShownChange, error) {
	var l struct {
		Changes []struct {
			Field string          `json:"field"`
			From  json.RawMessage `json:"from"`
			To    json.RawMessage `json:"to"`
		} `json:"changes"`
	}
	if err := json.Unmarshal(e.Leaf, &l); err != nil {
		return nil, fmt.Errorf("read leaf of event %d: %w", e.ID, err)
	}
	list, err := openings(ctx, e)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, o := range list {
		names[o.Commitment] = o.Name
	}
	shown := make([]*ShownChange, len(l.Changes))
	for i, c := range l.Changes {
		shown[i] = &ShownChange{Field: c.Field, From: open(c.From, names), To: open(c.To, names)}
	}
	return shown, nil
}

// open shows one side of a change: a text as it is, a commitment as the name it commits to.
func open(raw json.RawMessage, names map[string]string) *string {
	if raw == nil {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return &text
	}
	var c commitment
	erased := Erased
	if json.Unmarshal(raw, &c) != nil {
		return &erased
	}
	if name, ok := names[c.Commitment]; ok {
		return &name
	}
	return &erased
}
