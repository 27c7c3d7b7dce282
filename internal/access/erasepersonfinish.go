package access

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// FinishErasures makes the bytes of names unreadable that were erased, and writes when that was done. It does nothing
// when no erasure is unfinished. To be called at the start, too: a server may have been killed between the two.
func (s *Service) FinishErasures(ctx context.Context) error {
	sys := auth.System(ctx)
	people := s.store.Read().Principal.Query().Where(principal.NameHasPrefix(pseudonymPrefix), principal.ErasedAtIsNil())
	principals, err := people.IDs(sys)
	if err != nil {
		return fmt.Errorf("look for unfinished erasures: %w", err)
	}
	owners, err := s.store.Read().Owner.Query().Where(owner.RefHasPrefix(pseudonymPrefix), owner.ErasedAtIsNil()).IDs(sys)
	if err != nil {
		return fmt.Errorf("look for unfinished erasures: %w", err)
	}
	if len(principals)+len(owners) == 0 {
		return nil
	}
	if err := s.store.Scrub(ctx, principal.Table, token.Table, owner.Table, activityopening.Table); err != nil {
		return fmt.Errorf("finish the erasure of %d people: %w", max(len(principals), len(owners)), err)
	}
	return s.store.InTx(ctx, func(tx *db.Client) error {
		now := s.now()
		if err := tx.Principal.Update().Where(principal.IDIn(principals...), principal.ErasedAtIsNil()).SetErasedAt(now).Exec(sys); err != nil {
			return fmt.Errorf("finish the erasure of principals: %w", err)
		}
		if err := tx.Owner.Update().Where(owner.IDIn(owners...), owner.ErasedAtIsNil()).SetErasedAt(now).Exec(sys); err != nil {
			return fmt.Errorf("finish the erasure of owners: %w", err)
		}
		return nil
	})
}
