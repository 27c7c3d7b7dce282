package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/token"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const maxErasureReason = 1000

// ErasePersonInput says whom to erase.
type ErasePersonInput struct {
	// Name is that of a principal or the reference of an owner.
	Name   string
	Reason string
}

// Erased is what took the place of a name.
type Erased struct {
	Pseudonym string
	// Events is how many named the person.
	Events int
}

// ErasePerson removes whatever opens the commitments to a person's name, and the name everywhere else: records show the
// pseudonym from then on. The person's tokens end. It returns once the name's bytes are gone from the database; when that
// fails after the records were changed, it fails with an internal error and the next start does it.
//
// It fails with NOT_FOUND for a name that nobody has, and with FAILED_PRECONDITION for a service account, for a team,
// for who was erased before, and for an admin who erases themselves while nobody else is one.
func (s *Service) ErasePerson(ctx context.Context, in ErasePersonInput) (Erased, error) {
	actor, err := auth.Allow(ctx, "erasePerson", auth.Organisation)
	if err != nil {
		return Erased{}, err
	}
	if err := in.check(); err != nil {
		return Erased{}, err
	}
	var who *erasure
	var events int
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if who, err = find(ctx, tx, in.Name); err != nil {
			return err
		}
		if err := s.staysAdministered(ctx, tx, actor, who); err != nil {
			return err
		}
		if err := s.rename(ctx, tx, who); err != nil {
			return err
		}
		if events, err = s.log.Erase(ctx, tx, who.names...); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.PersonErased, Subject: who.pseudonym,
			Summary: fmt.Sprintf("A person was erased, who is %s in records from now on.", who.pseudonym),
			Changes: []activity.Change{activity.Added("reason", activity.Text(in.Reason))},
		})
	})
	if err != nil {
		return Erased{}, err
	}
	// What was begun is finished, also when nobody waits for the answer any more.
	ctx = context.WithoutCancel(ctx)
	late, err := s.log.EraseLate(ctx, who.names...)
	if err != nil {
		return Erased{}, err
	}
	return Erased{Pseudonym: who.pseudonym, Events: events + late}, s.FinishErasures(ctx)
}

func (in ErasePersonInput) check() error {
	if err := check.First(check.Name("input.name", in.Name), check.Line("input.reason", in.Reason, 1, maxErasureReason)); err != nil {
		return err
	}
	if names(in.Reason, bare(in.Name)) {
		return fault.At("input.reason", "the reason stands in the log for ever and names the person; leave the name out")
	}
	return nil
}

// staysAdministered refuses to erase the last admin. Who erases others stays one.
func (s *Service) staysAdministered(ctx context.Context, tx *db.Client, actor auth.Principal, who *erasure) error {
	var ids []int
	self := false
	for _, p := range who.principals {
		ids = append(ids, p.ID)
		self = self || p.ID == actor.ID
	}
	if !self {
		return nil
	}
	others, err := tx.Token.Query().Where(
		token.PrincipalIDNotIn(ids...), token.RoleEQ(auth.OrganisationAdmin), token.ProjectIDIsNil(),
		token.RevokedAtIsNil(), token.Or(token.ExpiresAtIsNil(), token.ExpiresAtGT(s.now())),
	).Exist(auth.System(ctx))
	if err != nil {
		return fmt.Errorf("look for admins: %w", err)
	}
	if !others {
		return &fault.Error{Kind: fault.FailedPrecondition, Path: "input.name", Message: "you are the last who administers the organisation; make a token for another admin first"}
	}
	return nil
}

// rename puts pseudonyms in the place of names, and ends the tokens. When the erasure was finished is written by
// FinishErasures.
func (s *Service) rename(ctx context.Context, tx *db.Client, who *erasure) error {
	sys := auth.System(ctx)
	for i, p := range who.principals {
		pseudonym := who.pseudonyms[i]
		update := tx.Principal.Update().Where(principal.ID(p.ID)).SetName(pseudonym)
		if p.Pseudonym == nil {
			update.SetPseudonym(pseudonym)
		}
		if err := update.Exec(sys); err != nil {
			return fmt.Errorf("rename principal %d: %w", p.ID, err)
		}
		err := tx.Token.Update().Where(token.PrincipalID(p.ID), token.RevokedAtIsNil()).SetRevokedAt(s.now()).Exec(sys)
		if err != nil {
			return fmt.Errorf("revoke tokens of principal %d: %w", p.ID, err)
		}
		// A token's name is that of its principal.
		err = tx.Token.Update().Where(token.PrincipalID(p.ID)).Modify(func(u *sql.UpdateBuilder) { u.Set(token.FieldName, pseudonym) }).Exec(sys)
		if err != nil {
			return fmt.Errorf("rename tokens of principal %d: %w", p.ID, err)
		}
	}
	if o := who.owner; o != nil {
		if err := tx.Owner.UpdateOneID(o.ID).SetRef(o.Pseudonym).SetDisplayName("").SetContact("").Exec(sys); err != nil {
			return fmt.Errorf("rename owner %d: %w", o.ID, err)
		}
	}
	return nil
}
