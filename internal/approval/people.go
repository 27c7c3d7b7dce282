package approval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/id"
)

// Person is a principal as policy inputs and signed statements call it.
type Person struct {
	// Pseudonym is the one of the owner that this person is, or one of their own; the name of a service account.
	Pseudonym string
	// OwnerID is the row of that owner; 0 when the person is none.
	OwnerID int
	// Person is false for a service account.
	Person bool
}

// People says who principals are, by their rows. Whoever has no pseudonym yet gets one, for good.
func (s *Service) People(ctx context.Context, ids []int) (map[int]Person, error) {
	sys := auth.System(ctx)
	rows, err := s.store.Read().Principal.Query().Where(principal.IDIn(ids...)).Order(principal.ByID()).All(sys)
	if err != nil {
		return nil, fmt.Errorf("load principals: %w", err)
	}
	owners, err := s.ownersAmong(sys, rows)
	if err != nil {
		return nil, err
	}
	out := make(map[int]Person, len(rows))
	for _, p := range rows {
		who := Person{Pseudonym: p.Name, Person: p.Kind == principal.KindUSER}
		switch o := ownerOf(owners, p); {
		case !who.Person:
		case o != nil:
			who.Pseudonym, who.OwnerID = o.Pseudonym, o.ID
		case p.Pseudonym != nil:
			who.Pseudonym = *p.Pseudonym
		default:
			if who.Pseudonym, err = s.call(sys, p); err != nil {
				return nil, err
			}
		}
		out[p.ID] = who
	}
	return out, nil
}

// ownersAmong finds those owners that are one of the people, by reference.
func (s *Service) ownersAmong(sys context.Context, rows []*db.Principal) (map[string]*db.Owner, error) {
	var refs []string
	for _, p := range rows {
		if p.Kind == principal.KindUSER {
			refs = append(refs, refsOf(p)...)
		}
	}
	found, err := s.store.Read().Owner.Query().Where(owner.RefIn(refs...)).All(sys)
	if err != nil {
		return nil, fmt.Errorf("load owners: %w", err)
	}
	out := make(map[string]*db.Owner, len(found))
	for _, o := range found {
		out[o.Ref] = o
	}
	return out, nil
}

// refsOf are the references that an owner would have who is this person. References are written in lower case.
func refsOf(p *db.Principal) []string {
	name := strings.ToLower(p.Name)
	return []string{"user:" + name, name}
}

func ownerOf(owners map[string]*db.Owner, p *db.Principal) *db.Owner {
	refs := refsOf(p)
	if i := slices.IndexFunc(refs, func(ref string) bool { return owners[ref] != nil }); i >= 0 {
		return owners[refs[i]]
	}
	return nil
}

// call gives a person a pseudonym. Of two servers that do so at once, the first does.
func (s *Service) call(sys context.Context, p *db.Principal) (string, error) {
	err := s.store.InTx(sys, func(tx *db.Client) error {
		return tx.Principal.Update().Where(principal.ID(p.ID), principal.PseudonymIsNil()).SetPseudonym("person:" + id.Random(16)).Exec(sys)
	})
	if err != nil {
		return "", fmt.Errorf("give principal %d a pseudonym: %w", p.ID, err)
	}
	again, err := s.store.Read().Principal.Get(sys, p.ID)
	if err != nil || again.Pseudonym == nil {
		return "", fmt.Errorf("load pseudonym of principal %d: %w", p.ID, err)
	}
	return *again.Pseudonym, nil
}
