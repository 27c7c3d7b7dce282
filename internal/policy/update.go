package policy

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// UpdatePolicyInput is what to change on a policy; what is nil stays.
type UpdatePolicyInput struct {
	Name     string
	Mode     *gatepolicy.Mode
	Enabled  *bool
	Rules    []string
	Scope    *PolicyScopeInput
	Waivable *bool
	// WaiverApprovals and WaiverMaxDays are as in CreatePolicyInput.
	WaiverApprovals, WaiverMaxDays *int
}

// UpdatePolicy makes the next revision of a policy and puts it in force. Who does must manage policies on all that it
// reaches, before and after. When nothing would change, the revision in force is returned and nothing is written.
//
// Faults: NOT_FOUND when there is no such policy for the caller; BAD_USER_INPUT and FORBIDDEN as for CreatePolicy;
// CONFLICT when somebody else changed the policy meanwhile: nothing of this change is kept.
func (s *Service) UpdatePolicy(ctx context.Context, in UpdatePolicyInput) (*db.GatePolicy, error) {
	if err := auth.Admit(ctx, "Mutation.updatePolicy"); err != nil {
		return nil, err
	}
	actor, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	current, before, err := s.inForce(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	next, err := s.nextRevision(ctx, before, in)
	if err != nil {
		return nil, err
	}
	changes := changesBetween(before, next)
	if len(changes) == 0 {
		return current, nil
	}
	next.createdBy, next.createdAt = actor.ID, s.now()
	var made *db.GatePolicy
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		replaced, err := tx.GatePolicy.Update().Where(gatepolicy.ID(current.ID), gatepolicy.Latest(true)).SetLatest(false).Save(ctx)
		if err != nil {
			return fmt.Errorf("put policy out of force: %w", err)
		}
		if replaced != 1 {
			return changedMeanwhile(in.Name)
		}
		if made, err = next.write(ctx, tx); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, policyUpdated(before, next, changes))
	})
	if store.IsUnique(err) {
		return nil, changedMeanwhile(in.Name)
	}
	if err != nil {
		return nil, err
	}
	return s.byID(ctx, made.ID)
}

func changedMeanwhile(name string) error {
	return fault.New(fault.Conflict, "policy %q was changed by somebody else meanwhile; read it and send the change again", name)
}

// inForce returns the revision in force as the caller sees it, and all of it as the service does: what a caller does not see
// of its scope must neither be lost by a change nor be changed without the right to.
func (s *Service) inForce(ctx context.Context, name string) (*db.GatePolicy, revision, error) {
	current, err := s.Policy(ctx, name)
	if err != nil {
		return nil, revision{}, err
	}
	if current == nil {
		return nil, revision{}, &fault.Error{Kind: fault.NotFound, Path: "input.name", Message: fmt.Sprintf("there is no policy %q", name)}
	}
	targets, err := s.store.Read().PolicyTarget.Query().Where(ofPolicy(current.ID)).
		WithProject().WithApplication(func(q *db.ApplicationQuery) { q.WithProject() }).All(auth.System(ctx))
	if err != nil {
		return nil, revision{}, fmt.Errorf("read targets of policy: %w", err)
	}
	whole := revision{
		name: current.Name, number: current.Revision, mode: current.Mode, enabled: current.Enabled,
		waivers: waivers{current.Waivable, current.WaiverApprovals, current.WaiverMaxDays},
		stage:   current.StageName, kind: current.GateKind, rules: current.Edges.Rules,
		area: area{scope: scopeOf(current, targets), projects: map[string]*db.Project{}, applications: map[string]*db.Application{}},
	}
	for _, t := range targets {
		if t.ApplicationID == nil {
			whole.area.projects[t.Edges.Project.Key] = t.Edges.Project
		} else {
			whole.area.applications[t.Edges.Application.Key] = t.Edges.Application
		}
	}
	return current, whole, allowAll(ctx, whole.area)
}

// allowAll asks for the right to change what reaches the area. It names no project: some may not exist for the caller.
func allowAll(ctx context.Context, a area) error {
	if a.scope.Type == gatepolicy.ScopeTypeGLOBAL {
		_, err := auth.Allow(ctx, "updatePolicy", auth.Organisation)
		return err
	}
	for _, id := range a.projectIDs() {
		if _, err := auth.Allow(ctx, "updatePolicy", id); err != nil {
			return fault.New(fault.Forbidden, "updatePolicy needs one of the roles %s, %s on everything that the policy reaches",
				auth.OrganisationAdmin, auth.PolicyManager)
		}
	}
	return nil
}

// nextRevision applies the change and checks what it gives.
func (s *Service) nextRevision(ctx context.Context, before revision, in UpdatePolicyInput) (revision, error) {
	next := before
	next.number++
	if in.Mode != nil {
		if err := oneOf("input.mode", gatepolicy.ModeValidator(*in.Mode)); err != nil {
			return revision{}, err
		}
		next.mode = *in.Mode
	}
	if in.Enabled != nil {
		next.enabled = *in.Enabled
	}
	err := next.waivers.change(in)
	if err != nil {
		return revision{}, err
	}
	if in.Scope != nil {
		if next.area, err = s.areaOf(ctx, "updatePolicy", *in.Scope); err != nil {
			return revision{}, err
		}
		// The gate stays, and must be one that the applications now in scope can come to.
		if err := s.findGate(ctx, next.stage, next.kind, next.area, "input.scope", "input.scope"); err != nil {
			return revision{}, err
		}
	}
	if in.Rules != nil {
		if next.rules, err = s.findRules(ctx, in.Rules); err != nil {
			return revision{}, err
		}
	}
	return next, nil
}

// change applies what is given.
func (w *waivers) change(in UpdatePolicyInput) error {
	if in.Waivable != nil {
		w.allowed = *in.Waivable
	}
	if in.WaiverApprovals != nil {
		w.approvals = *in.WaiverApprovals
	}
	if in.WaiverMaxDays != nil {
		w.maxDays = *in.WaiverMaxDays
	}
	return w.check()
}

// changesBetween names each field that differs between two revisions.
func changesBetween(a, b revision) []activity.Change {
	var changes []activity.Change
	compare := func(field, from, to string) {
		if from != to {
			changes = append(changes, activity.Changed(field, from, to))
		}
	}
	compare("mode", string(a.mode), string(b.mode))
	compare("enabled", strconv.FormatBool(a.enabled), strconv.FormatBool(b.enabled))
	compare("waivers", a.waivers.String(), b.waivers.String())
	compare("rules", a.ruleNames(), b.ruleNames())
	compare("scope", a.area.scope.String(), b.area.scope.String())
	if changes == nil {
		return nil
	}
	return append([]activity.Change{activity.Changed("revision", strconv.Itoa(a.number), strconv.Itoa(b.number))}, changes...)
}

// policyUpdated tells of a change to all whom the policy bound or binds: in their project when there is but one.
func policyUpdated(before, next revision, changes []activity.Change) activity.Event {
	project, application := next.area.only()
	if was, wasApplication := before.area.only(); project == nil || was == nil || was.ID != project.ID {
		project, application = nil, ""
	} else if wasApplication != application {
		application = ""
	}
	fields := make([]string, 0, len(changes))
	for _, c := range changes[1:] {
		fields = append(fields, c.Field)
	}
	return activity.Event{
		Type: activity.PolicyUpdated, Project: project, Application: application,
		Subject: next.name,
		Summary: fmt.Sprintf("policy %s was changed: %s", next.name, strings.Join(fields, ", ")),
		Changes: changes,
	}
}
