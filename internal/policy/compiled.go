package policy

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// compiledKey names a template's source and its parameters by their digests: the same pair is the same policy, whatever
// the rule is called.
type compiledKey struct{ template, parameters string }

// Compiled returns a rule ready to be evaluated. The rule must have been read with its template. The last few hundred are
// kept; two callers that miss at once both compile, and one of the two equal results stays.
func (s *Service) Compiled(ctx context.Context, r *db.Rule) (*rego.Policy, error) {
	template, err := r.Edges.TemplateOrErr()
	if err != nil {
		return nil, fmt.Errorf("compile rule %s: %w", r.Name, err)
	}
	key := compiledKey{template.Digest, canonical.Digest([]byte(r.Parameters))}
	if p, ok := s.compiled.Get(key); ok {
		return p, nil
	}
	p, err := rego.Compile(ctx, []byte(template.Rego), []byte(r.Parameters))
	if err != nil {
		return nil, fmt.Errorf("compile rule %s: %w", r.Name, err)
	}
	s.compiled.Add(key, p)
	return p, nil
}
