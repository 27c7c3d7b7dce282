package access

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

// RevokeTokenInput is a token to end, by its global id.
type RevokeTokenInput struct {
	ID string
}

// RevokeToken ends a token at once. One that was revoked before stays revoked as it was.
func (s *Service) RevokeToken(ctx context.Context, in RevokeTokenInput) (*db.Token, error) {
	unknown := &fault.Error{Kind: fault.NotFound, Path: "input.id", Message: "there is no such token; list the tokens that you administer"}
	typ, n, err := id.ParseGlobal(in.ID)
	if err != nil || typ != "Token" {
		return nil, unknown
	}
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		query, err := administered(ctx, tx)
		if err != nil {
			return err
		}
		t, err := query.Where(token.ID(n)).WithProject().WithPrincipal().Only(ctx)
		if db.IsNotFound(err) {
			return unknown
		}
		if err != nil {
			return fmt.Errorf("load token %d: %w", n, err)
		}
		if err := allow(ctx, "revokeToken", t.Edges.Project); err != nil {
			return err
		}
		return s.revoke(ctx, tx, t)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Token.Get(ctx, n)
}

func (s *Service) revoke(ctx context.Context, tx *db.Client, t *db.Token) error {
	n, err := tx.Token.Update().Where(token.ID(t.ID), token.RevokedAtIsNil()).SetRevokedAt(s.now()).Save(ctx)
	if err != nil {
		return fmt.Errorf("revoke token %d: %w", t.ID, err)
	}
	if n == 0 {
		return nil
	}
	subject, whose := namedInLog(t, t.Edges.Principal.Kind == principal.KindUSER)
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.TokenRevoked, Project: t.Edges.Project, Subject: subject, Changes: whose,
		Summary: fmt.Sprintf("Token %s was revoked.", subject),
	})
}
