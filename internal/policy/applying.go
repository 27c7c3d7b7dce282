package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/policytarget"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// Subject is the application that comes to a gate, as it is at that moment.
type Subject struct {
	ProjectID     int
	ApplicationID int
	Criticality   string
	Labels        []labels.Label
}

// Applicable is a policy that guards a gate.
type Applicable struct {
	Policy *db.GatePolicy
	// Because is why it applies, the end of a sentence: "guards project payments, label tier=1, criticality HIGH or CRITICAL".
	Because string
	// Rules are the policy's, by row number, each with its template.
	Rules []*db.Rule
}

// Names of the columns that say, in each row, what the subject's project and application are called.
const (
	projectKeyColumn     = "subject_project"
	applicationKeyColumn = "subject_application"
)

// Applying returns the policies that guard a gate of the subject, by row number (MODEL rule 24): in force, enabled, on that
// gate, reaching everybody, the subject's project or the subject itself, with every label selector among the subject's
// labels and its criticality among those selected, if any are. It sees every policy, whoever acts. Client is the
// store's reader or a transaction; three queries are made, all by index.
func (s *Service) Applying(ctx context.Context, client *db.Client, a Subject, stageName string, kind gatepolicy.GateKind) ([]Applicable, error) {
	query := client.GatePolicy.Query().
		Where(
			gatepolicy.StageName(stageName), gatepolicy.GateKindEQ(kind), gatepolicy.Latest(true), gatepolicy.Enabled(true),
			gatepolicy.Or(
				gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypeGLOBAL),
				gatepolicy.And(
					gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypePROJECT),
					gatepolicy.HasTargetsWith(policytarget.ProjectID(a.ProjectID), policytarget.ApplicationIDIsNil()),
				),
				gatepolicy.And(
					gatepolicy.ScopeTypeEQ(gatepolicy.ScopeTypeAPPLICATION),
					gatepolicy.HasTargetsWith(policytarget.ApplicationID(a.ApplicationID)),
				),
			),
		).
		Order(gatepolicy.ByID()).
		WithRules(func(q *db.RuleQuery) { q.Order(rule.ByID()).WithTemplate() })
	query.Modify(a.withKeys)
	policies, err := query.All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("read policies of the %s gate of %s: %w", kind, stageName, err)
	}
	var applying []Applicable
	for _, p := range policies {
		if !a.selectedBy(p) {
			continue
		}
		because, err := because(p)
		if err != nil {
			return nil, err
		}
		applying = append(applying, Applicable{Policy: p, Because: because, Rules: p.Edges.Rules})
	}
	return applying, nil
}

// withKeys lets each row bring the keys of the subject's project and application, instead of two more queries.
func (a Subject) withKeys(s *sql.Selector) {
	d := s.Dialect()
	key := func(table, keyColumn, idColumn string, id int) sql.Querier {
		t := sql.Dialect(d).Table(table)
		return sql.Dialect(d).Select(t.C(keyColumn)).From(t).Where(sql.EQ(t.C(idColumn), id))
	}
	s.AppendSelectExprAs(key(project.Table, project.FieldKey, project.FieldID, a.ProjectID), projectKeyColumn)
	s.AppendSelectExprAs(key(application.Table, application.FieldKey, application.FieldID, a.ApplicationID), applicationKeyColumn)
}

// selectedBy tells whether the policy's selectors choose the subject.
func (a Subject) selectedBy(p *db.GatePolicy) bool {
	for _, l := range p.LabelSelectors {
		if !slices.Contains(a.Labels, l) {
			return false
		}
	}
	return len(p.CriticalitySelectors) == 0 || slices.Contains(p.CriticalitySelectors, a.Criticality)
}

// because says why a policy that Applying read applies.
func because(p *db.GatePolicy) (string, error) {
	parts := []string{"guards every application"}
	switch p.ScopeType {
	case gatepolicy.ScopeTypeGLOBAL:
	case gatepolicy.ScopeTypePROJECT:
		key, err := textColumn(p, projectKeyColumn)
		if err != nil {
			return "", err
		}
		parts = []string{"guards project " + key}
	case gatepolicy.ScopeTypeAPPLICATION:
		key, err := textColumn(p, applicationKeyColumn)
		if err != nil {
			return "", err
		}
		parts = []string{"guards application " + key}
	}
	return narrowed(parts, p.LabelSelectors, p.CriticalitySelectors), nil
}

// narrowed says what else an application has to have.
func narrowed(parts []string, selectors []labels.Label, criticality []string) string {
	switch texts := labelTexts(selectors); len(texts) {
	case 0:
	case 1:
		parts = append(parts, "label "+texts[0])
	default:
		parts = append(parts, "labels "+strings.Join(texts, " and "))
	}
	if len(criticality) > 0 {
		parts = append(parts, "criticality "+strings.Join(criticality, " or "))
	}
	return strings.Join(parts, ", ")
}

// textColumn reads a column that is none of the table's.
func textColumn(p *db.GatePolicy, name string) (string, error) {
	v, err := p.Value(name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	default:
		return "", fmt.Errorf("read %s: it is a %T, not a text", name, v)
	}
}

// Generation returns a number that is another one as soon as any policy has changed: how many revisions there are, of which
// none is ever removed. (The highest row number would not do: on Postgres a lower one may be committed later.) Client is the
// store's reader or a transaction.
func (s *Service) Generation(ctx context.Context, client *db.Client) (int, error) {
	n, err := client.GatePolicy.Query().Count(auth.System(ctx))
	if err != nil {
		return 0, fmt.Errorf("count revisions of policies: %w", err)
	}
	return n, nil
}
