package policy

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytarget"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/rule"
)

// Policy returns the revision in force of the policy with this name, with its rules, their templates and its targets; nil
// when there is none for the caller.
func (s *Service) Policy(ctx context.Context, name string) (*db.GatePolicy, error) {
	p, err := whole(s.store.Read().GatePolicy.Query().Where(gatepolicy.Name(name), gatepolicy.Latest(true))).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return p, nil
}

// Policies returns a page of the revisions in force, oldest first, each like Policy's.
func (s *Service) Policies(ctx context.Context, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.GatePolicyConnection, error) {
	return whole(s.store.Read().GatePolicy.Query().Where(gatepolicy.Latest(true))).Paginate(ctx, after, first, before, last)
}

// Templates returns a page of all revisions of all templates, oldest first.
func (s *Service) Templates(ctx context.Context, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.PolicyTemplateConnection, error) {
	return s.store.Read().PolicyTemplate.Query().Paginate(ctx, after, first, before, last)
}

// Rules returns a page of the rules with their templates, oldest first.
func (s *Service) Rules(ctx context.Context, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.RuleConnection, error) {
	return s.store.Read().Rule.Query().WithTemplate().Paginate(ctx, after, first, before, last)
}

func (s *Service) byID(ctx context.Context, id int) (*db.GatePolicy, error) {
	p, err := whole(s.store.Read().GatePolicy.Query().Where(gatepolicy.ID(id))).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return p, nil
}

// whole loads with policies what belongs to them, one query for each kind.
func whole(q *db.GatePolicyQuery) *db.GatePolicyQuery {
	return q.
		WithRules(func(q *db.RuleQuery) { q.Order(rule.ByID()).WithTemplate() }).
		WithTargets(func(q *db.PolicyTargetQuery) { q.WithProject().WithApplication() })
}

func ofPolicy(id int) predicate.PolicyTarget { return policytarget.PolicyID(id) }

// TemplateRef names a revision of a template.
type TemplateRef struct {
	Name     string
	Revision int
}

// RegoOf returns the sources of revisions of templates; those that there are not are not there.
func (s *Service) RegoOf(ctx context.Context, refs []TemplateRef) (map[TemplateRef]*string, error) {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = ref.Name
	}
	rows, err := s.store.Read().PolicyTemplate.Query().Where(policytemplate.NameIn(names...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	out := make(map[TemplateRef]*string, len(refs))
	for _, row := range rows {
		out[TemplateRef{row.Name, row.Revision}] = &row.Rego
	}
	return out, nil
}
