package freeze

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	entfreeze "github.com/plimsoll/plimsoll/ent/db/freeze"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// longest is how long a freeze may last: a year, of whichever length.
const longest = 366 * 24 * time.Hour

// halt is a freeze that is going to be written.
type halt struct {
	reason      string
	label       labels.Label
	from, until time.Time

	project     *db.Project // also that of the application
	application *db.Application
}

// Create makes a freeze. Who does must be allowed to on the project, or on that of the application; for a label and for
// everything, on the organisation. The same again by the same person, while it is not over, is the one that is there.
func (s *Service) Create(ctx context.Context, in CreateFreezeInput) (*db.Freeze, error) {
	h, err := in.read(s.now())
	if err != nil {
		return nil, err
	}
	row := 0
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := h.find(ctx, tx, in); err != nil {
			return err
		}
		where := auth.Organisation
		if h.project != nil {
			where = h.project.ID
		}
		actor, err := auth.Allow(ctx, "createFreeze", where)
		if err != nil {
			return err
		}
		if row, err = h.known(ctx, tx, in, actor.ID); err != nil || row != 0 {
			return err
		}
		made, err := h.create(tx, actor.ID, s.now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("write freeze: %w", err)
		}
		row = made.ID
		return s.log.Append(ctx, tx, h.event())
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Freeze.Get(ctx, row)
}

// read holds the input to the limits.
func (in CreateFreezeInput) read(now time.Time) (*halt, error) {
	h := &halt{reason: in.Reason, from: now, until: in.EndsAt.UTC().Truncate(time.Microsecond)} // as databases keep it
	n := 0
	for _, f := range []struct {
		path  string
		given bool
	}{{"input.projectKey", in.ProjectKey != nil}, {"input.applicationKey", in.ApplicationKey != nil}, {"input.label", in.Label != nil}} {
		if !f.given {
			continue
		}
		if n++; n > 1 {
			return nil, fault.At(f.path, "a freeze is of a project, an application, a label, or of everything: give at most one")
		}
	}
	if in.Label != nil {
		if err := check.Label("input.label", in.Label.Key, in.Label.Value); err != nil {
			return nil, err
		}
		h.label = *in.Label
	}
	if err := check.Justification("input.reason", in.Reason); err != nil {
		return nil, err
	}
	if in.StartsAt != nil {
		h.from = in.StartsAt.UTC().Truncate(time.Microsecond)
	}
	switch {
	case !h.until.After(now):
		return nil, fault.At("input.endsAt", "it is over already: the clock here says %s", instant(now))
	case !h.until.After(h.from):
		return nil, fault.At("input.endsAt", "it ends before it begins, which is at %s", instant(h.from))
	case h.until.After(h.from.Add(longest)):
		return nil, fault.At("input.endsAt", "a freeze lasts at most a year: the latest is %s", instant(h.from.Add(longest)))
	}
	return h, nil
}

// find looks up what stands still.
func (h *halt) find(ctx context.Context, tx *db.Client, in CreateFreezeInput) error {
	var err error
	switch {
	case in.ProjectKey != nil:
		h.project, err = tx.Project.Query().Where(project.Key(*in.ProjectKey)).Only(ctx)
		if db.IsNotFound(err) {
			return missing("input.projectKey", "there is no project %q", *in.ProjectKey)
		}
	case in.ApplicationKey != nil:
		h.application, err = tx.Application.Query().Where(application.Key(*in.ApplicationKey)).WithProject().Only(ctx)
		if db.IsNotFound(err) {
			return missing("input.applicationKey", "there is no application %q", *in.ApplicationKey)
		}
		if err == nil {
			h.project = h.application.Edges.Project
		}
	}
	if err != nil {
		return fmt.Errorf("load what a freeze is of: %w", err)
	}
	return nil
}

// known finds the same freeze by the same person; 0 when there is none. Of two at once, the second waits for the first.
func (h *halt) known(ctx context.Context, tx *db.Client, in CreateFreezeInput, by int) (int, error) {
	if _, err := tx.Principal.Query().Where(principal.ID(by), oneByOne).Only(ctx); err != nil {
		return 0, fmt.Errorf("take turns on freezes: %w", err)
	}
	where := []predicate.Freeze{
		entfreeze.CreatedBy(by), entfreeze.LiftedAtIsNil(), entfreeze.EndsAt(h.until), entfreeze.Reason(h.reason),
		entfreeze.LabelKey(h.label.Key), entfreeze.LabelValue(h.label.Value), entfreeze.ProjectIDIsNil(), entfreeze.ApplicationIDIsNil(),
	}
	if h.project != nil {
		where[len(where)-2] = entfreeze.ProjectID(h.project.ID)
	}
	if h.application != nil {
		where[len(where)-1] = entfreeze.ApplicationID(h.application.ID)
	}
	if in.StartsAt != nil {
		where = append(where, entfreeze.StartsAt(h.from))
	} else {
		where = append(where, entfreeze.StartsAtLTE(h.from))
	}
	row, err := tx.Freeze.Query().Where(where...).Order(entfreeze.ByID()).FirstID(ctx)
	if db.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for the same freeze: %w", err)
	}
	return row, nil
}

// oneByOne lets those who read a row so wait for each other. SQLite needs no lock: there, one transaction writes at a time.
func oneByOne(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}

func (h *halt) create(tx *db.Client, by int, now time.Time) *db.FreezeCreate {
	row := tx.Freeze.Create().SetLabelKey(h.label.Key).SetLabelValue(h.label.Value).SetReason(h.reason).
		SetStartsAt(h.from).SetEndsAt(h.until).SetCreatedAt(now).SetCreatedBy(by)
	if h.project != nil {
		row.SetProjectID(h.project.ID)
	}
	if h.application != nil {
		row.SetApplicationID(h.application.ID)
	}
	return row
}

func (h *halt) event() activity.Event {
	e := activity.Event{
		Type: activity.FreezeCreated, Project: h.project,
		Changes: []activity.Change{
			activity.Added("reason", activity.Text(h.reason)),
			activity.Added("startsAt", activity.Text(instant(h.from))), activity.Added("endsAt", activity.Text(instant(h.until))),
		},
	}
	switch {
	case h.application != nil:
		e.Application, e.Subject = h.application.Key, h.application.Key
		e.Summary = "application " + h.application.Key
	case h.project != nil:
		e.Subject, e.Summary = h.project.Key, "project "+h.project.Key
	default:
		e.Subject, e.Summary = ofLabel(h.label)
	}
	e.Summary = fmt.Sprintf("%s stands still from %s until %s", e.Summary, instant(h.from), instant(h.until))
	return e
}

// ofLabel names the applications with a label, or all of them: as a subject, and in a sentence.
func ofLabel(l labels.Label) (subject, said string) {
	if l.Key == "" {
		return "organisation", "everything"
	}
	return l.Key + "=" + l.Value, "every application with label " + l.Key + "=" + l.Value
}

func missing(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.NotFound, Path: path, Message: fmt.Sprintf(format, args...)}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
