package policy

import (
	"context"
	"encoding/json"
	"errors"
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
	"github.com/plimsoll/plimsoll/internal/rego"
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
	rego, schema                    string
}

// CreateTemplate adds a template, or the next revision of the one with this name. When the newest revision says the same,
// it is returned and nothing is written. Whoever manages policies anywhere may do so: templates belong to no project.
//
// Faults: BAD_USER_INPUT at the field that is wrong; at "input.rego" with the details "problems", a list of {row, col,
// code, message}, when the source is no template; CONFLICT for the name of a template that comes with the program.
func (s *Service) CreateTemplate(ctx context.Context, in CreatePolicyTemplateInput) (*db.PolicyTemplate, error) {
	if err := auth.Admit(ctx, "Mutation.createPolicyTemplate"); err != nil {
		return nil, err
	}
	actor, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	c, err := readTemplate(in)
	if err != nil {
		return nil, err
	}
	if err := s.notBuiltin(in.Name); err != nil {
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
		SetRego(c.rego).SetParametersSchema(c.schema).SetDigest(canonical.Digest([]byte(c.rego))).
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
		},
	})
}

func (c content) saysSameAs(t *db.PolicyTemplate) bool {
	return c.category == t.Category && c.title == t.Title && c.description == t.Description && c.remediation == t.Remediation &&
		slices.Equal(c.controls, t.Controls) && c.rego == t.Rego && c.schema == t.ParametersSchema
}

// readTemplate checks a template that a user sent.
func readTemplate(in CreatePolicyTemplateInput) (content, error) {
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
	info, err := checkRego([]byte(in.Rego))
	if err != nil {
		return content{}, err
	}
	schema, err := readSchema(in.ParametersSchema)
	if problem, ok := errors.AsType[Problem](err); ok {
		return content{}, fault.At("input.parametersSchema", "%s", problem).With("problems", []Problem{problem})
	}
	if err != nil {
		return content{}, err
	}
	c := content{
		name: in.Name, category: in.Category, rego: in.Rego, schema: string(schema), controls: in.Controls,
		title: given(in.Title, info.Title), description: given(in.Description, info.Description), remediation: given(in.Remediation, info.Remediation),
	}
	if c.controls == nil {
		c.controls = info.Controls
	}
	// Again, for what came out of the METADATA.
	return c, check.First(
		check.Line("input.title", c.title, 0, MaxTitle),
		check.Text("input.description", c.description, 0, MaxDescription),
		check.Text("input.remediation", c.remediation, 0, MaxRemediation),
		checkControls("input.controls", c.controls),
	)
}

// checkRego refuses a source that is no template and says where and why.
func checkRego(source []byte) (rego.Info, error) {
	if len(source) > rego.MaxSource {
		return rego.Info{}, fault.At("input.rego", "at most %d bytes are allowed and %d were given; shorten it", rego.MaxSource, len(source))
	}
	if err := check.Text("input.rego", string(source), 1, rego.MaxSource); err != nil {
		return rego.Info{}, err // what a database cannot keep
	}
	info, problems := rego.Check(source)
	if len(problems) == 0 {
		return info, nil
	}
	first := problems[0]
	shown := make([]map[string]any, min(len(problems), maxProblems))
	for i := range shown {
		p := problems[i]
		shown[i] = map[string]any{"row": p.Row, "col": p.Col, "code": p.Code, "message": p.Message}
	}
	return rego.Info{}, fault.At("input.rego", "%d:%d: %s", first.Row, first.Col, first.Message).With("problems", shown)
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
