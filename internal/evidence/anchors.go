package evidence

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// anchorList is all trust anchors, as they were when there were so many, with so many revoked.
type anchorList struct {
	last, revoked int
	rows          []*db.TrustAnchor
}

// anchors returns all trust anchors, oldest first. An anchor is added and revoked and does not change otherwise, so two
// numbers say whether what is remembered still holds.
func (s *Service) anchors(ctx context.Context) ([]*db.TrustAnchor, error) {
	var now anchorList
	t := sql.Dialect(s.store.Dialect()).Table(trustanchor.Table)
	query, args := sql.Dialect(s.store.Dialect()).
		Select("COALESCE(MAX("+t.C(trustanchor.FieldID)+"), 0)", sql.Count(t.C(trustanchor.FieldRevokedAt))).From(t).Query()
	if err := s.one(ctx, query, args, &now.last, &now.revoked); err != nil {
		return nil, fmt.Errorf("look at trust anchors: %w", err)
	}
	if then := s.trusted.Load(); then != nil && then.last == now.last && then.revoked == now.revoked {
		return then.rows, nil
	}
	rows, err := s.store.Read().TrustAnchor.Query().Order(trustanchor.ByID()).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load trust anchors: %w", err)
	}
	// What was added or revoked since the numbers were read is in the rows, and must be counted with them.
	now = anchorList{rows: rows}
	for _, a := range rows {
		now.last = a.ID
		if a.RevokedAt != nil {
			now.revoked++
		}
	}
	s.trusted.Store(&now)
	return rows, nil
}

// one scans the one row of a query.
func (s *Service) one(ctx context.Context, query string, args []any, dest ...any) (err error) {
	rows, err := s.store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("no row"))
	}
	return rows.Scan(dest...)
}

// stillTrusted refuses, inside the transaction, evidence whose anchor was revoked after it had been verified against it.
func stillTrusted(ctx context.Context, tx *db.Client, entries []*entry) error {
	used := map[int]string{}
	for _, e := range entries {
		if e.anchor != nil {
			used[e.anchor.ID] = e.anchor.Alias
		}
	}
	if len(used) == 0 {
		return nil
	}
	ids := make([]int, 0, len(used))
	for id := range used {
		ids = append(ids, id)
	}
	revoked, err := tx.TrustAnchor.Query().Where(trustanchor.IDIn(ids...), trustanchor.RevokedAtNotNil()).
		Order(trustanchor.ByID()).Select(trustanchor.FieldAlias).Strings(auth.System(ctx))
	if err != nil {
		return fmt.Errorf("look at trust anchors again: %w", err)
	}
	if len(revoked) > 0 {
		return fault.New(fault.Conflict, "the trust anchor %q was revoked while its evidence was being taken: submit it again", revoked[0])
	}
	return nil
}
