package gate

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/policy"
)

const (
	// notFrozen is the rule, and the built-in template, that a freeze is judged by.
	notFrozen = "not-frozen"
	// frozenRule is in the place of the row of that rule: it has none.
	frozenRule = -1
)

// freezePart is a freeze in the input.
type freezePart struct {
	ID       string `json:"id"`
	Scope    string `json:"scope"`
	Reason   string `json:"reason"`
	StartsAt string `json:"starts_at"`
	EndsAt   string `json:"ends_at"`
	Active   bool   `json:"active"`
}

func freezeParts(list []*db.Freeze, at time.Time) []freezePart {
	parts := make([]freezePart, len(list))
	for i, f := range list {
		parts[i] = freezePart{
			ID: strconv.Itoa(f.ID), Scope: string(freeze.ScopeOf(f)), Reason: f.Reason,
			StartsAt: instant(f.StartsAt), EndsAt: instant(f.EndsAt), Active: freeze.ActiveAt(f, at),
		}
	}
	return parts
}

// frozen is the policy that stands before all others while a freeze covers the application. It belongs to nobody, so it takes no
// waivers: a freeze is lifted.
func (s *Service) frozen(ctx context.Context, sub *subject, at time.Time) ([]policy.Applicable, error) {
	var because []string
	for _, f := range sub.freezes {
		if freeze.ActiveAt(f, at) {
			because = append(because, fmt.Sprintf("%s: %s, until %s", freeze.ScopeOf(f), f.Reason, instant(f.EndsAt)))
		}
	}
	if len(because) == 0 {
		return nil, nil
	}
	template, err := s.store.Read().PolicyTemplate.Query().Where(policytemplate.Name(notFrozen), policytemplate.CreatedByIsNil()).
		Order(db.Desc(policytemplate.FieldRevision)).First(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the template that freezes are judged by: %w", err)
	}
	rule := &db.Rule{ID: frozenRule, Name: notFrozen, Parameters: "{}", TemplateID: template.ID}
	rule.Edges.Template = template
	return []policy.Applicable{{
		Policy:  &db.GatePolicy{Name: policy.FreezeName, Revision: 1, Mode: gatepolicy.ModeBLOCK},
		Because: strings.Join(because, "; "), Rules: []*db.Rule{rule},
	}}, nil
}
