package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/rolebinding"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// Authenticate returns a context in which the principal acts that a bearer token (RFC 6750) stands for, with everything
// the principal holds. It makes two queries, both by index. An unknown, an expired and a revoked token, and one whose
// principal holds nothing, fail alike with UNAUTHENTICATED.
func (s *Service) Authenticate(ctx context.Context, bearer string) (context.Context, error) {
	refused := fault.New(fault.Unauthenticated, "the token opens nothing: it is unknown, has expired or was revoked; ask for a new one")
	if !sendable(bearer) {
		return nil, refused
	}
	t, err := s.store.Read().Token.Query().Where(token.Hash(hash(bearer))).Only(auth.System(ctx))
	if db.IsNotFound(err) {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("look up token: %w", err)
	}
	if t.RevokedAt != nil || t.ExpiresAt != nil && !s.now().Before(*t.ExpiresAt) {
		return nil, refused
	}
	p, err := s.principal(ctx, t.PrincipalID)
	if err != nil {
		return nil, err
	}
	if len(p.Grants) == 0 {
		return nil, refused
	}
	p.EvidenceTypes = t.EvidenceTypes
	return auth.With(ctx, p), nil
}

// principal loads a principal's name beside what it holds, which saves a query.
func (s *Service) principal(ctx context.Context, principalID int) (auth.Principal, error) {
	var rows []struct {
		Name      string    `sql:"name"`
		Role      auth.Role `sql:"role"`
		ProjectID *int      `sql:"project_id"`
	}
	err := s.store.Read().RoleBinding.Query().
		Where(rolebinding.PrincipalID(principalID)).
		Modify(func(sel *sql.Selector) {
			who := sql.Table(principal.Table)
			sel.Join(who).On(sel.C(rolebinding.FieldPrincipalID), who.C(principal.FieldID))
			sel.Select(who.C(principal.FieldName), sel.C(rolebinding.FieldRole), sel.C(rolebinding.FieldProjectID))
		}).
		Scan(auth.System(ctx), &rows)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("load roles of principal %d: %w", principalID, err)
	}
	p := auth.Principal{ID: principalID}
	for _, r := range rows {
		p.Name = r.Name
		g := auth.Grant{Role: r.Role, Project: auth.Organisation}
		if r.ProjectID != nil {
			g.Project = *r.ProjectID
		}
		p.Grants = append(p.Grants, g)
	}
	return p, nil
}

// Viewer is whoever the token of a request stands for.
type Viewer struct {
	// Principal is the name, as it stands in records.
	Principal string
	Roles     []*RoleGrant
}

// RoleGrant is a role and where it is held; Project is nil for the whole organisation.
type RoleGrant struct {
	Role    auth.Role
	Project *db.Project
}

// Viewer says who acts in ctx and what they hold.
func (s *Service) Viewer(ctx context.Context) (*Viewer, error) {
	p, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, g := range p.Grants {
		if g.Project != auth.Organisation {
			ids = append(ids, g.Project)
		}
	}
	projects := map[int]*db.Project{}
	if len(ids) > 0 {
		rows, err := s.store.Read().Project.Query().Where(project.IDIn(ids...)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load projects of %s: %w", p.Name, err)
		}
		for _, row := range rows {
			projects[row.ID] = row
		}
	}
	v := &Viewer{Principal: p.Name}
	for _, g := range p.Grants {
		v.Roles = append(v.Roles, &RoleGrant{Role: g.Role, Project: projects[g.Project]})
	}
	return v, nil
}
