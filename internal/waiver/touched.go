package waiver

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytarget"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// touches returns the policies that the waiver would weaken: the one that it names, or every enabled one that asks its rule
// and reaches the application. Labels and criticality are not looked at: they may be others by the time a gate is asked.
func (w *wish) touches(ctx context.Context, tx *db.Client) ([]*db.GatePolicy, error) {
	where := []predicate.GatePolicy{gatepolicy.Latest(true)}
	if w.policy != "" {
		where = append(where, gatepolicy.Name(w.policy))
		known, err := tx.GatePolicy.Query().Where(where...).Exist(ctx) // for whoever asks
		if err != nil {
			return nil, fmt.Errorf("look up policy: %w", err)
		}
		if !known {
			return nil, missing(w.path(), "there is no policy %q", w.policy)
		}
	} else {
		where = append(where, gatepolicy.HasRulesWith(rule.Name(w.rule)))
		known, err := tx.Rule.Query().Where(rule.Name(w.rule)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("look up rule: %w", err)
		}
		if !known {
			return nil, missing(w.path(), "there is no rule %q", w.rule)
		}
	}
	where = append(where, gatepolicy.Enabled(true), reaches(w.application))
	list, err := tx.GatePolicy.Query().Where(where...).Order(gatepolicy.ByID()).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load policies that a waiver touches: %w", err)
	}
	if len(list) == 0 {
		f := fault.New(fault.FailedPrecondition, "there is nothing to waive: no policy in force asks %s of application %q", about(w.policy, w.rule), w.application.Key)
		f.Path = w.path()
		return nil, f
	}
	return list, nil
}

// reaches holds for policies for everybody, for the application's project, and for the application itself.
func reaches(app *db.Application) predicate.GatePolicy {
	return gatepolicy.Or(
		gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypeGLOBAL),
		gatepolicy.And(
			gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypePROJECT),
			gatepolicy.HasTargetsWith(policytarget.ProjectID(app.ProjectID), policytarget.ApplicationIDIsNil()),
		),
		gatepolicy.And(
			gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypeAPPLICATION),
			gatepolicy.HasTargetsWith(policytarget.ApplicationID(app.ID)),
		),
	)
}
