package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// CreatePolicyTemplateInput is a template to add. What is nil is taken from the METADATA of the Rego package.
type CreatePolicyTemplateInput struct {
	Name             string
	Category         policytemplate.Category
	Rego             string
	ParametersSchema json.RawMessage
	Title            *string
	Description      *string
	Remediation      *string
	Controls         []string
	// Tests are unit tests in Rego.
	Tests *string
}

// content is what a revision says. Two revisions of one template differ in it.
type content struct {
	name                            string
	category                        policytemplate.Category
	title, description, remediation string
	controls                        []string
	rego, schema, tests             string
	// evidence are the predicate types of the evidence that it needs.
	evidence []string
}

// CreateTemplate adds a template, or the next revision of the one with this name. When the newest revision says the same,
// it is returned and nothing is written. Whoever manages policies anywhere may do so: templates belong to no project.
//
// Faults: BAD_USER_INPUT at the field that is wrong; at "input.rego", "input.parametersSchema" or "input.tests" with the details
// "problems", a list of {kind, row, col, code, pointer, message}, when CheckRego would not call it ok; CONFLICT for the name of a template that comes with the program.
func (s *Service) CreateTemplate(ctx context.Context, in CreatePolicyTemplateInput) (*db.PolicyTemplate, error) {
	if err := auth.Admit(ctx, "Mutation.createPolicyTemplate"); err != nil {
		return nil, err
	}
	actor, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.notBuiltin(in.Name); err != nil {
		return nil, err
	}
	c, err := s.readTemplate(ctx, in)
	if err != nil {
		return nil, err
	}
	var made *db.PolicyTemplate
	err = s.numbering(ctx, func(tx *db.Client) error {
		made, err = s.addRevision(ctx, tx, c, &actor.ID)
		return err
	})
	if store.IsUnique(err) {
		return nil, fault.New(fault.Conflict, "others are adding revisions of template %q at this moment; send it again", in.Name)
	}
	return made, err
}

// numbering runs fn in a transaction, again when somebody else took the number of a revision meanwhile.
func (s *Service) numbering(ctx context.Context, fn func(tx *db.Client) error) error {
	var err error
	for range maxAttempts {
		if err = s.store.InTx(ctx, fn); !store.IsUnique(err) {
			return err
		}
	}
	return err
}

// addRevision writes the next revision of a template, or returns the newest when it says the same. Creator is nil for a
// template that comes with the program.
func (s *Service) addRevision(ctx context.Context, tx *db.Client, c content, creator *int) (*db.PolicyTemplate, error) {
	// As the service itself: the installation, which adds the built-in ones, has no roles and so sees nothing.
	newest, err := tx.PolicyTemplate.Query().Where(policytemplate.Name(c.name)).
		Order(policytemplate.ByRevision(sql.OrderDesc())).First(auth.System(ctx))
	if err != nil && !db.IsNotFound(err) {
		return nil, fmt.Errorf("read newest revision of template: %w", err)
	}
	revision := 1
	if newest != nil {
		if c.saysSameAs(newest) {
			return newest, nil
		}
		revision = newest.Revision + 1
	}
	made, err := tx.PolicyTemplate.Create().
		SetName(c.name).SetRevision(revision).SetCategory(c.category).
		SetTitle(c.title).SetDescription(c.description).SetRemediation(c.remediation).SetControls(c.controls).
		SetRego(c.rego).SetParametersSchema(c.schema).SetTests(c.tests).SetEvidence(c.evidence).SetDigest(canonical.Digest([]byte(c.rego))).
		SetCreatedAt(s.now()).SetNillableCreatedBy(creator).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	return made, s.log.Append(ctx, tx, activity.Event{
		Type:    activity.PolicyTemplateCreated,
		Subject: made.Name,
		Summary: fmt.Sprintf("revision %d of policy template %s was added", revision, made.Name),
		Changes: []activity.Change{
			activity.Added("revision", activity.Text(strconv.Itoa(revision))),
			activity.Added("category", activity.Text(string(made.Category))),
			activity.Added("rego", activity.Text(made.Digest)),
			activity.Added("parametersSchema", activity.Text(canonical.Digest([]byte(made.ParametersSchema)))),
			activity.Added("tests", activity.Text(canonical.Digest([]byte(made.Tests)))),
		},
	})
}

func (c content) saysSameAs(t *db.PolicyTemplate) bool {
	return c.category == t.Category && c.title == t.Title && c.description == t.Description && c.remediation == t.Remediation &&
		slices.Equal(c.controls, t.Controls) && c.rego == t.Rego && c.schema == t.ParametersSchema &&
		c.tests == t.Tests && slices.Equal(c.evidence, t.Evidence)
}

// readTemplate checks a template that a user sent.
func (s *Service) readTemplate(ctx context.Context, in CreatePolicyTemplateInput) (content, error) {
	err := check.First(
		check.Name("input.name", in.Name),
		oneOf("input.category", policytemplate.CategoryValidator(in.Category)),
		optional("input.title", in.Title, check.Line, MaxTitle),
		optional("input.description", in.Description, check.Text, MaxDescription),
		optional("input.remediation", in.Remediation, check.Text, MaxRemediation),
		checkControls("input.controls", in.Controls),
	)
	if err != nil {
		return content{}, err
	}
	look, err := s.lookAt(ctx, CheckRegoInput{Rego: in.Rego, ParametersSchema: in.ParametersSchema, Tests: in.Tests}, true)
	if err != nil {
		return content{}, err
	}
	if err := look.refusal(); err != nil {
		return content{}, err
	}
	info := look.info
	c := content{
		name: in.Name, category: in.Category, rego: in.Rego, schema: string(look.schema), controls: in.Controls,
		title: given(in.Title, info.Title), description: given(in.Description, info.Description), remediation: given(in.Remediation, info.Remediation),
		tests: given(in.Tests, ""), evidence: info.Predicates,
	}
	if c.controls == nil {
		c.controls = info.Controls
	}
	if c.evidence == nil {
		c.evidence = []string{}
	}
	return c, nil
}

func checkControls(path string, controls []string) error {
	if err := check.List(path, len(controls), MaxControls); err != nil {
		return err
	}
	for i, c := range controls {
		if err := check.Name(fmt.Sprintf("%s.%d", path, i), c); err != nil {
			return err
		}
	}
	return nil
}

// optional holds a text against a limit when it was given.
func optional(path string, s *string, limit func(path, s string, shortest, longest int) error, longest int) error {
	if s == nil {
		return nil
	}
	return limit(path, *s, 0, longest)
}

// oneOf makes a fault of what a generated validator says of an enum value.
func oneOf(path string, err error) error {
	if err == nil {
		return nil
	}
	return fault.At(path, "it is none of the values that are allowed here")
}

func given(s *string, otherwise string) string {
	if s != nil {
		return *s
	}
	return otherwise
}
