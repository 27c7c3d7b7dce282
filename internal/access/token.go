package access

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// Tokens returns a page of the tokens that whoever asks administers or audits, newest last.
func (s *Service) Tokens(ctx context.Context, after *db.Cursor, first *int, before *db.Cursor, last *int) (*db.TokenConnection, error) {
	query, err := administered(ctx, s.store.Read())
	if err != nil {
		return nil, err
	}
	return query.Paginate(ctx, after, first, before, last)
}

// Token returns one of the tokens that whoever asks administers or audits, or nil.
func (s *Service) Token(ctx context.Context, n int) (*db.Token, error) {
	query, err := administered(ctx, s.store.Read())
	if err != nil {
		return nil, err
	}
	t, err := query.Where(token.ID(n)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// administered narrows tokens further than reach does, to where whoever asks holds a role that "Query.tokens" is for.
func administered(ctx context.Context, c *db.Client) (*db.TokenQuery, error) {
	p, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	rights := append([]auth.Role{auth.OrganisationAdmin}, auth.Table()["Query.tokens"]...)
	query := c.Token.Query()
	if p.Holds(auth.Organisation, rights...) {
		return query, nil
	}
	projects := []int{}
	for _, g := range p.Grants {
		if g.Project != auth.Organisation && p.Holds(g.Project, rights...) {
			projects = append(projects, g.Project)
		}
	}
	return query.Where(token.ProjectIDIn(projects...)), nil
}

// PrincipalNames returns the names of principals by their row numbers, as they stand in records: who made, pushed,
// promoted. The numbers come from records that whoever asks has seen.
func (s *Service) PrincipalNames(ctx context.Context, ids []int) (map[int]string, error) {
	rows, err := s.store.Read().Principal.Query().Where(principal.IDIn(ids...)).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load names of principals: %w", err)
	}
	names := make(map[int]string, len(rows))
	for _, p := range rows {
		names[p.ID] = p.Name
	}
	return names, nil
}
