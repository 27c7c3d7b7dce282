package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// Proposal is a policy as it might be. Nothing of it is written.
type Proposal struct {
	Name string
	// Revision is that of the policy which is there; 0 for one that is not there yet.
	Revision int
	Mode     gatepolicy.Mode
	Gate     GateInput
	Waivable bool
	// Rules are by row number, each with its template.
	Rules []*db.Rule
	// Scope is all of the policy's, also what does not exist for whoever asks.
	Scope Scope
}

// Propose checks a policy exactly as CreatePolicy does, but for the right to make it: to ask what it would do changes nothing.
// The faults are those of CreatePolicy, below "input.draft".
func (s *Service) Propose(ctx context.Context, in CreatePolicyInput) (*Proposal, error) {
	r, err := s.proposed(ctx, in)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		if rest, below := strings.CutPrefix(f.Path, "input"); below {
			f.Path = "input.draft" + rest
		}
	}
	if err != nil {
		return nil, err
	}
	return s.proposal(ctx, r, 0)
}

func (s *Service) proposed(ctx context.Context, in CreatePolicyInput) (revision, error) {
	r, err := s.firstRevision(ctx, "", in)
	if err != nil {
		return revision{}, err
	}
	taken, err := s.store.Read().GatePolicy.Query().Where(gatepolicy.Name(in.Name)).Exist(auth.System(ctx))
	if err != nil {
		return revision{}, fmt.Errorf("look up the name of a policy: %w", err)
	}
	if taken {
		return revision{}, nameTaken("policy", in.Name)
	}
	return r, nil
}

// ProposeChange returns the policy in force with another mode, and with other rules when some are named.
//
// Faults: NOT_FOUND at "input.policy"; BAD_USER_INPUT at "input.mode" and "input.rules" as for UpdatePolicy.
func (s *Service) ProposeChange(ctx context.Context, name string, mode gatepolicy.Mode, rules []string) (*Proposal, error) {
	if err := oneOf("input.mode", gatepolicy.ModeValidator(mode)); err != nil {
		return nil, err
	}
	current, err := s.Policy(ctx, name)
	if err != nil {
		return nil, err
	}
	if current == nil {
		return nil, &fault.Error{Kind: fault.NotFound, Path: "input.policy", Message: fmt.Sprintf("there is no policy %q", name)}
	}
	targets, err := s.store.Read().PolicyTarget.Query().Where(ofPolicy(current.ID)).WithProject().WithApplication().All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("read targets of policy: %w", err)
	}
	r := revision{
		name: current.Name, mode: mode, waivers: waivers{allowed: current.Waivable}, stage: current.StageName, kind: current.GateKind,
		rules: current.Edges.Rules, area: area{scope: scopeOf(current, targets)},
	}
	if rules != nil {
		if r.rules, err = s.findRules(ctx, rules); err != nil {
			return nil, err
		}
	}
	return s.proposal(ctx, r, current.Revision)
}

func (s *Service) proposal(ctx context.Context, r revision, number int) (*Proposal, error) {
	ids := make([]int, len(r.rules))
	for i, found := range r.rules {
		ids[i] = found.ID
	}
	rules, err := s.store.Read().Rule.Query().Where(rule.IDIn(ids...)).Order(rule.ByID()).WithTemplate().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return &Proposal{
		Name: r.name, Revision: number, Mode: r.mode, Gate: GateInput{Stage: r.stage, Kind: r.kind}, Waivable: r.waivers.allowed,
		Rules: rules, Scope: r.area.scope,
	}, nil
}

// Recorded is an application as it stands in what was recorded.
type Recorded struct {
	Project, Key, Criticality string
	Labels                    map[string][]string
}

// Reaches tells whether the policy would guard an application, and why, as Applicable says it.
func (p *Proposal) Reaches(a Recorded) (because string, reaches bool) {
	var parts []string
	switch p.Scope.Type {
	case gatepolicy.ScopeTypePROJECT:
		parts, reaches = []string{"guards project " + a.Project}, slices.Contains(p.Scope.ProjectKeys, a.Project)
	case gatepolicy.ScopeTypeAPPLICATION:
		parts, reaches = []string{"guards application " + a.Key}, slices.Contains(p.Scope.ApplicationKeys, a.Key)
	default:
		parts, reaches = []string{"guards every application"}, true
	}
	lacks := func(l labels.Label) bool { return !slices.Contains(a.Labels[l.Key], l.Value) }
	if !reaches || slices.ContainsFunc(p.Scope.Labels, lacks) {
		return "", false
	}
	if len(p.Scope.Criticality) > 0 && !slices.Contains(p.Scope.Criticality, a.Criticality) {
		return "", false
	}
	return narrowed(parts, p.Scope.Labels, p.Scope.Criticality), true
}
