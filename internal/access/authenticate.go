package access

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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
// the principal holds. It makes one query, by index. An unknown, an expired and a revoked token, and one whose principal
// holds nothing, fail alike with UNAUTHENTICATED.
func (s *Service) Authenticate(ctx context.Context, bearer string) (context.Context, error) {
	refused := fault.New(fault.Unauthenticated, "the token opens nothing: it is unknown, has expired or was revoked; ask for a new one")
	if !sendable(bearer) {
		return nil, refused
	}
	grants, err := s.grantsOf(ctx, bearer)
	if err != nil {
		return nil, fmt.Errorf("look up token: %w", err)
	}
	if len(grants) == 0 || grants[0].RevokedAt != nil || grants[0].ExpiresAt != nil && !s.now().Before(*grants[0].ExpiresAt) {
		return nil, refused
	}
	first := grants[0]
	p := auth.Principal{ID: first.PrincipalID, Name: first.Name, Person: first.Kind == principal.KindUSER}
	if len(first.EvidenceTypes) > 0 {
		if err := json.Unmarshal(first.EvidenceTypes, &p.EvidenceTypes); err != nil {
			return nil, fmt.Errorf("read evidence types of a token of principal %d: %w", p.ID, err)
		}
	}
	for _, g := range grants {
		project := auth.Organisation
		if g.ProjectID != nil {
			project = *g.ProjectID
		}
		p.Grants = append(p.Grants, auth.Grant{Role: g.Role, Project: project})
	}
	return auth.With(ctx, p), nil
}

// grant is a role that a token's principal holds, beside what there is to know of token and principal.
type grant struct {
	PrincipalID   int            `sql:"principal_id"`
	Name          string         `sql:"name"`
	Kind          principal.Kind `sql:"kind"`
	Role          auth.Role      `sql:"role"`
	ProjectID     *int           `sql:"project_id"`
	ExpiresAt     *time.Time     `sql:"expires_at"`
	RevokedAt     *time.Time     `sql:"revoked_at"`
	EvidenceTypes []byte         `sql:"evidence_types"`
}

func (s *Service) grantsOf(ctx context.Context, bearer string) ([]grant, error) {
	var grants []grant
	err := s.store.Read().RoleBinding.Query().Modify(func(held *sql.Selector) {
		t, who := sql.Table(token.Table).As("t"), sql.Table(principal.Table).As("who")
		held.Join(t).On(held.C(rolebinding.FieldPrincipalID), t.C(token.FieldPrincipalID))
		held.Join(who).On(held.C(rolebinding.FieldPrincipalID), who.C(principal.FieldID))
		held.Where(sql.EQ(t.C(token.FieldHash), hash(bearer)))
		held.Select(held.C(rolebinding.FieldPrincipalID), who.C(principal.FieldName), who.C(principal.FieldKind), held.C(rolebinding.FieldRole), held.C(rolebinding.FieldProjectID),
			t.C(token.FieldExpiresAt), t.C(token.FieldRevokedAt), t.C(token.FieldEvidenceTypes))
	}).Scan(auth.System(ctx), &grants)
	return grants, err
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
