package policy

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/policytemplate"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/policies"
)

// InstallBuiltin adds those templates of the program that are not there yet, or the next revision where the newest one
// says something else; rules keep the revision they stand on. It is called at each start, by any number of programs on one
// database at once. Whoever acts in ctx is the actor of the events; the templates have no creator.
func (s *Service) InstallBuiltin(ctx context.Context) error {
	contents, err := s.builtin()
	if err != nil {
		return err
	}
	err = s.numbering(ctx, func(tx *db.Client) error {
		for _, c := range contents {
			if _, err := s.addRevision(ctx, tx, c, nil); err != nil {
				return fmt.Errorf("template %s: %w", c.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("install built-in templates: %w", err)
	}
	return nil
}

// readBuiltin reads the templates that come with the program.
func readBuiltin() ([]content, error) {
	templates, err := policies.Builtin()
	if err != nil {
		return nil, fmt.Errorf("read built-in templates: %w", err)
	}
	contents := make([]content, len(templates))
	for i, t := range templates {
		schema, err := readSchema(t.ParametersSchema)
		if err != nil {
			return nil, fmt.Errorf("schema of built-in template %s: %w", t.Name, err)
		}
		contents[i] = content{
			name: t.Name, category: policytemplate.Category(t.Category), title: t.Title, description: t.Description,
			remediation: t.Remediation, controls: t.Controls, rego: string(t.Rego), schema: string(schema),
			tests: string(t.Tests), evidence: t.Predicates,
		}
	}
	return contents, nil
}

// notBuiltin refuses the name of a template that comes with the program.
func (s *Service) notBuiltin(name string) error {
	contents, err := s.builtin()
	if err != nil {
		return err
	}
	for _, c := range contents {
		if c.name == name {
			return &fault.Error{
				Kind: fault.Conflict, Path: "input.name",
				Message: fmt.Sprintf("%q is a template that comes with the program and cannot be replaced; choose another name", name),
			}
		}
	}
	return nil
}
