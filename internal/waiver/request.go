package waiver

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Request asks for a waiver. It holds for a policy, or for a rule in whatever policy, of an application in reach; nobody is let
// through before it was decided. The same again by the same person, while it waits to be decided, is the one that is there.
func (s *Service) Request(ctx context.Context, in RequestWaiverInput) (*db.Waiver, error) {
	w, err := in.read(s.now())
	if err != nil {
		return nil, err
	}
	row := 0
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := w.find(ctx, tx, in); err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "requestWaiver", w.application.ProjectID)
		if err != nil {
			return err
		}
		touched, err := w.touches(ctx, tx)
		if err != nil {
			return err
		}
		if err := w.within(touched, s.now()); err != nil {
			return err
		}
		if row, err = w.known(ctx, tx, actor.ID); err != nil || row != 0 {
			return err
		}
		made, err := w.create(tx, actor.ID, s.now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("write waiver: %w", err)
		}
		row = made.ID
		return s.log.Append(ctx, tx, w.event())
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Waiver.Get(ctx, row)
}

// find looks up what the waiver is for.
func (w *wish) find(ctx context.Context, tx *db.Client, in RequestWaiverInput) error {
	var err error
	w.application, err = tx.Application.Query().Where(application.Key(in.ApplicationKey)).WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return missing("input.applicationKey", "there is no application %q", in.ApplicationKey)
	}
	if err != nil {
		return fmt.Errorf("load application %s: %w", in.ApplicationKey, err)
	}
	if in.Version == nil {
		return nil
	}
	w.version, err = tx.ApplicationVersion.Query().Where(applicationversion.ApplicationID(w.application.ID), applicationversion.Version(*in.Version)).Only(ctx)
	if db.IsNotFound(err) {
		return missing("input.version", "application %q has no version %q", in.ApplicationKey, *in.Version)
	}
	if err != nil {
		return fmt.Errorf("load version of application %s: %w", in.ApplicationKey, err)
	}
	return nil
}

// within refuses what a policy that is touched does not allow, and says how many must approve: as many as the strictest asks for.
func (w *wish) within(touched []*db.GatePolicy, now time.Time) error {
	for _, p := range touched {
		if !p.Waivable {
			f := fault.New(fault.FailedPrecondition, "policy %q takes no waivers", p.Name).With("policy", p.Name)
			f.Path = w.path()
			return f
		}
		w.needed = max(w.needed, p.WaiverApprovals)
		if latest := now.AddDate(0, 0, p.WaiverMaxDays); w.expires.After(latest) {
			return fault.At("input.expiresAt", "a waiver of policy %q holds for at most %d days: the latest is %s", p.Name, p.WaiverMaxDays, latest.Format(time.RFC3339Nano))
		}
	}
	return nil
}

// path is where the input says what the waiver is about.
func (w *wish) path() string {
	if w.policy != "" {
		return "input.policy"
	}
	return "input.rule"
}

// known finds the same request by the same person; 0 when there is none. Of two at once, the second waits for the first.
func (w *wish) known(ctx context.Context, tx *db.Client, by int) (int, error) {
	if _, err := tx.Principal.Query().Where(principal.ID(by), oneByOne).Only(ctx); err != nil {
		return 0, fmt.Errorf("take turns on waivers: %w", err)
	}
	where := []predicate.Waiver{
		entwaiver.StateEQ(entwaiver.StatePENDING), entwaiver.RequestedBy(by), entwaiver.ApplicationID(w.application.ID), entwaiver.VersionIDIsNil(),
		entwaiver.PolicyEQ(w.policy), entwaiver.Rule(w.rule), entwaiver.Code(w.code), entwaiver.Subject(w.subject),
		entwaiver.Vulnerability(w.vulnerability), entwaiver.Purl(w.purl), entwaiver.Justification(w.justification), entwaiver.ExpiresAt(w.expires),
	}
	if w.version != nil {
		where[3] = entwaiver.VersionID(w.version.ID)
	}
	row, err := tx.Waiver.Query().Where(where...).Order(entwaiver.ByID()).FirstID(ctx)
	if db.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for the same waiver: %w", err)
	}
	return row, nil
}

func (w *wish) create(tx *db.Client, by int, now time.Time) *db.WaiverCreate {
	row := tx.Waiver.Create().SetPolicy(w.policy).SetRule(w.rule).SetCode(w.code).SetSubject(w.subject).
		SetVulnerability(w.vulnerability).SetPurl(w.purl).SetJustification(w.justification).SetApprovalsNeeded(w.needed).
		SetRequestedAt(now).SetExpiresAt(w.expires).SetRequestedBy(by).
		SetProjectID(w.application.ProjectID).SetApplicationID(w.application.ID)
	if w.version != nil {
		row.SetVersionID(w.version.ID)
	}
	return row
}

func (w *wish) event() activity.Event {
	e := activity.Event{
		Type: activity.WaiverRequested, Project: w.application.Edges.Project, Application: w.application.Key, Subject: w.application.Key,
	}
	if w.version != nil {
		e.Subject += "@" + w.version.Version
	}
	e.Summary = fmt.Sprintf("a waiver of %s was asked for, for %s", about(w.policy, w.rule), e.Subject)
	add := func(field, text string) {
		if text != "" {
			e.Changes = append(e.Changes, activity.Added(field, activity.Text(text)))
		}
	}
	add("policy", w.policy)
	add("rule", w.rule)
	add("code", w.code)
	add("subject", w.subject)
	add("vulnerability", w.vulnerability)
	add("purl", w.purl)
	add("justification", w.justification)
	add("expiresAt", w.expires.Format(time.RFC3339Nano))
	add("approvalsNeeded", strconv.Itoa(w.needed))
	return e
}

// about names what a waiver is of.
func about(policy, rule string) string {
	if policy != "" {
		return "policy " + policy
	}
	return "rule " + rule
}

func missing(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.NotFound, Path: path, Message: fmt.Sprintf(format, args...)}
}
