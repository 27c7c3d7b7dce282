package policy

import (
	"context"
	"fmt"
	"strconv"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// GateInput is a gate, by the name of its stage.
type GateInput struct {
	Stage string
	Kind  gatepolicy.GateKind
}

// FreezeName is what decisions call a freeze, as if it were a policy: no policy has this name.
const FreezeName = "freeze"

// CreatePolicyInput is a policy to make.
type CreatePolicyInput struct {
	Name     string
	Rules    []string
	Mode     gatepolicy.Mode
	Gate     GateInput
	Scope    PolicyScopeInput
	Waivable bool
	// WaiverApprovals is how many must approve a waiver of its rules, WaiverMaxDays for how many days at most one may hold.
	WaiverApprovals, WaiverMaxDays int
	Enabled                        bool
}

// CreatePolicy makes a policy. Who does must manage policies on all that it reaches: on the organisation for GLOBAL, else on
// each of the projects, those of the applications included. It is returned with its rules, their templates and its targets.
//
// Faults: BAD_USER_INPUT at the field that is wrong or names what does not exist for the caller; FORBIDDEN, at the
// key of the scope that the caller does not manage; CONFLICT when the name is taken.
func (s *Service) CreatePolicy(ctx context.Context, in CreatePolicyInput) (*db.GatePolicy, error) {
	if err := auth.Admit(ctx, "Mutation.createPolicy"); err != nil {
		return nil, err
	}
	actor, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	first, err := s.firstRevision(ctx, "createPolicy", in)
	if err != nil {
		return nil, err
	}
	first.createdBy, first.createdAt = actor.ID, s.now()
	var made *db.GatePolicy
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if made, err = first.write(ctx, tx); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, policyCreated(first))
	})
	if store.IsUnique(err) {
		return nil, nameTaken("policy", in.Name)
	}
	if err != nil {
		return nil, err
	}
	return s.byID(ctx, made.ID)
}

func (s *Service) firstRevision(ctx context.Context, mutation string, in CreatePolicyInput) (revision, error) {
	err := check.First(
		check.Name("input.name", in.Name),
		notReserved(in.Name),
		oneOf("input.mode", gatepolicy.ModeValidator(in.Mode)),
		check.Name("input.gate.stage", in.Gate.Stage),
		waivers{in.Waivable, in.WaiverApprovals, in.WaiverMaxDays}.check(),
	)
	if err != nil {
		return revision{}, err
	}
	r := revision{
		name: in.Name, number: 1, mode: in.Mode, enabled: in.Enabled,
		waivers: waivers{in.Waivable, in.WaiverApprovals, in.WaiverMaxDays},
		stage:   in.Gate.Stage, kind: in.Gate.Kind,
	}
	if r.area, err = s.areaOf(ctx, mutation, in.Scope); err != nil {
		return revision{}, err
	}
	if r.rules, err = s.findRules(ctx, in.Rules); err != nil {
		return revision{}, err
	}
	return r, s.findGate(ctx, r.stage, r.kind, r.area, "input.gate.stage", "input.gate.kind")
}

// notReserved refuses the name under which decisions show freezes.
func notReserved(name string) error {
	if name != FreezeName {
		return nil
	}
	return fault.At("input.name", "%q is how decisions call a freeze; choose another name", name)
}

func policyCreated(r revision) activity.Event {
	project, application := r.area.only()
	return activity.Event{
		Type: activity.PolicyCreated, Project: project, Application: application,
		Subject: r.name,
		Summary: fmt.Sprintf("policy %s was made: %s at the %s gate of %s", r.name, r.mode, r.kind, r.stage),
		Changes: []activity.Change{
			activity.Added("revision", activity.Text(strconv.Itoa(r.number))),
			activity.Added("mode", activity.Text(string(r.mode))),
			activity.Added("enabled", activity.Text(strconv.FormatBool(r.enabled))),
			activity.Added("waivers", activity.Text(r.waivers.String())),
			activity.Added("gate", activity.Text(fmt.Sprintf("%s of %s", r.kind, r.stage))),
			activity.Added("rules", activity.Text(r.ruleNames())),
			activity.Added("scope", activity.Text(r.area.scope.String())),
		},
	}
}
