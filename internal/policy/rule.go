package policy

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// CreateRuleInput is a rule to make: the newest revision of a template, and its parameters.
type CreateRuleInput struct {
	Name       string
	Template   string
	Parameters json.RawMessage
}

// CreateRule fills in the parameters of a template's newest revision, which the rule keeps. The rule is returned with its
// template. Whoever manages policies anywhere may do so: rules belong to no project.
//
// Faults: BAD_USER_INPUT at the field that is wrong; at "input.parameters" with the details "problems", a list of {pointer,
// message}, when the parameters do not obey the template's schema; CONFLICT when the name is taken.
func (s *Service) CreateRule(ctx context.Context, in CreateRuleInput) (*db.Rule, error) {
	if err := auth.Admit(ctx, "Mutation.createRule"); err != nil {
		return nil, err
	}
	actor, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	if err := check.First(check.Name("input.name", in.Name), check.Name("input.template", in.Template)); err != nil {
		return nil, err
	}
	template, err := s.store.Read().PolicyTemplate.Query().Where(policytemplate.Name(in.Template)).
		Order(policytemplate.ByRevision(sql.OrderDesc())).First(ctx)
	if db.IsNotFound(err) {
		return nil, fault.At("input.template", "there is no policy template %q; policyTemplates lists them", in.Template)
	}
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	parameters, err := fillIn(template, in.Parameters)
	if err != nil {
		return nil, err
	}
	var made *db.Rule
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		made, err = tx.Rule.Create().SetName(in.Name).SetTemplateID(template.ID).SetParameters(string(parameters)).
			SetCreatedBy(actor.ID).SetCreatedAt(s.now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("write rule: %w", err)
		}
		return s.log.Append(ctx, tx, ruleCreated(made, template))
	})
	if store.IsUnique(err) {
		return nil, nameTaken("rule", in.Name)
	}
	if err != nil {
		return nil, err
	}
	made.Edges.Template = template
	return made, nil
}

// fillIn returns the parameters of a rule on a template as canonical JSON.
func fillIn(template *db.PolicyTemplate, parameters json.RawMessage) ([]byte, error) {
	schema, err := compileStored(template.ParametersSchema)
	if err != nil {
		return nil, fmt.Errorf("schema of template %s, revision %d: %w", template.Name, template.Revision, err)
	}
	text, problems := readParameters(schema, parameters)
	if problems != nil {
		return nil, fault.At("input.parameters", "%s", problems[0]).With("problems", problems)
	}
	return text, nil
}

func ruleCreated(r *db.Rule, t *db.PolicyTemplate) activity.Event {
	on := fmt.Sprintf("%s, revision %d", t.Name, t.Revision)
	return activity.Event{
		Type:    activity.RuleCreated,
		Subject: r.Name,
		Summary: fmt.Sprintf("rule %s was made on policy template %s", r.Name, on),
		Changes: []activity.Change{
			activity.Added("template", activity.Text(on)),
			activity.Added("parameters", activity.Text(r.Parameters)),
		},
	}
}

// nameTaken says that a name must be unique and is not.
func nameTaken(what, name string) error {
	return &fault.Error{
		Kind: fault.Conflict, Path: "input.name",
		Message: fmt.Sprintf("there is a %s named %q already; choose another name", what, name),
	}
}
