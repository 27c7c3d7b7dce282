package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// revision is a revision of a policy before it is written.
type revision struct {
	name      string
	number    int
	mode      gatepolicy.Mode
	enabled   bool
	waivers   waivers
	stage     string
	kind      gatepolicy.GateKind
	rules     []*db.Rule // by row number
	area      area
	createdBy int
	createdAt time.Time
}

// waivers says whether and how the rules of a policy may be waived.
type waivers struct {
	allowed            bool
	approvals, maxDays int
}

const (
	maxWaiverApprovals = 10
	maxWaiverDays      = 3650
)

func (w waivers) check() error {
	if w.approvals < 1 || w.approvals > maxWaiverApprovals {
		return fault.At("input.waiverApprovals", "want 1 to %d, got %d", maxWaiverApprovals, w.approvals)
	}
	if w.maxDays < 1 || w.maxDays > maxWaiverDays {
		return fault.At("input.waiverMaxDays", "want 1 to %d, got %d", maxWaiverDays, w.maxDays)
	}
	return nil
}

// String says it in words.
func (w waivers) String() string {
	if !w.allowed {
		return "none"
	}
	return fmt.Sprintf("approved by %d, for at most %d days", w.approvals, w.maxDays)
}

// write adds the revision as the one in force. The caller has put the one before out of force.
func (r revision) write(ctx context.Context, tx *db.Client) (*db.GatePolicy, error) {
	ids := make([]int, len(r.rules))
	for i, rule := range r.rules {
		ids[i] = rule.ID
	}
	p, err := tx.GatePolicy.Create().
		SetName(r.name).SetRevision(r.number).SetMode(r.mode).SetEnabled(r.enabled).
		SetWaivable(r.waivers.allowed).SetWaiverApprovals(r.waivers.approvals).SetWaiverMaxDays(r.waivers.maxDays).
		SetStageName(r.stage).SetGateKind(r.kind).SetScopeType(r.area.scope.Type).
		SetLabelSelectors(r.area.scope.Labels).SetCriticalitySelectors(r.area.scope.Criticality).
		SetLatest(true).AddRuleIDs(ids...).SetCreatedBy(r.createdBy).SetCreatedAt(r.createdAt).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write policy: %w", err)
	}
	var targets []*db.PolicyTargetCreate
	for _, key := range r.area.scope.ProjectKeys {
		targets = append(targets, tx.PolicyTarget.Create().SetPolicyID(p.ID).SetProjectID(r.area.projects[key].ID))
	}
	for _, key := range r.area.scope.ApplicationKeys {
		app := r.area.applications[key]
		targets = append(targets, tx.PolicyTarget.Create().SetPolicyID(p.ID).SetProjectID(app.ProjectID).SetApplicationID(app.ID))
	}
	if err := tx.PolicyTarget.CreateBulk(targets...).Exec(ctx); err != nil {
		return nil, fmt.Errorf("write targets of policy: %w", err)
	}
	return p, nil
}

// ruleNames returns the names of the rules, sorted.
func (r revision) ruleNames() string {
	names := make([]string, len(r.rules))
	for i, rule := range r.rules {
		names[i] = rule.Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// findRules resolves the names of rules that a user sent.
func (s *Service) findRules(ctx context.Context, names []string) ([]*db.Rule, error) {
	const path = "input.rules"
	if len(names) == 0 {
		return nil, fault.At(path, "a policy needs 1 to %d rules; a policy without one would ask for nothing", MaxRules)
	}
	if err := check.List(path, len(names), MaxRules); err != nil {
		return nil, err
	}
	found, err := s.store.Read().Rule.Query().Where(rule.NameIn(names...)).Order(rule.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	known := map[string]bool{}
	for _, r := range found {
		known[r.Name] = true
	}
	seen := map[string]bool{}
	for i, name := range names {
		at := fmt.Sprintf("%s.%d", path, i)
		if seen[name] {
			return nil, fault.At(at, "rule %q is there twice; name it once", name)
		}
		if !known[name] {
			return nil, fault.At(at, "there is no rule %q; rules lists them", name)
		}
		seen[name] = true
	}
	return found, nil
}

// findGate refuses a gate that no application in the area can come to: a stage that is not there, or a side that is never
// judged. A stage of a project may have the name of one of the organisation; one that fits is enough. Faults about the
// stage are put at stagePath, those about the side at kindPath.
func (s *Service) findGate(ctx context.Context, name string, kind gatepolicy.GateKind, a area, stagePath, kindPath string) error {
	if err := oneOf(kindPath, gatepolicy.GateKindValidator(kind)); err != nil {
		return err
	}
	query := s.store.Read().Stage.Query().Where(stage.Name(name))
	if ids := a.projectIDs(); ids != nil {
		query.Where(stage.Or(stage.ProjectIDIsNil(), stage.ProjectIDIn(ids...)))
	}
	stages, err := query.All(ctx)
	if err != nil {
		return fmt.Errorf("read stages: %w", err)
	}
	if len(stages) == 0 {
		return fault.At(stagePath, "there is no stage %q on the way of the applications in scope", name)
	}
	fits := func(st *db.Stage) bool {
		release := st.Category == stage.CategoryRELEASE
		return kind == gatepolicy.GateKindEXIT || release == (kind == gatepolicy.GateKindRELEASE)
	}
	switch {
	case slices.ContainsFunc(stages, fits):
		return nil
	case kind == gatepolicy.GateKindRELEASE:
		return fault.At(kindPath, "stage %q is not a release stage, and a release gate guards nothing else; use ENTRY or EXIT", name)
	default:
		return fault.At(kindPath, "stage %q is a release stage, which versions enter by being released; use RELEASE", name)
	}
}
