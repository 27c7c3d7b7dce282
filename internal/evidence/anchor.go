package evidence

import (
	"context"
	"fmt"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// AddTrustAnchor adds a public key whose signatures count from now on. An alias or a key that is registered already, be it
// revoked, is a CONFLICT: what it vouched for points to it.
func (s *Service) AddTrustAnchor(ctx context.Context, in AddTrustAnchorInput) (*db.TrustAnchor, error) {
	if _, err := auth.Allow(ctx, "addTrustAnchor", auth.Organisation); err != nil {
		return nil, err
	}
	if err := check.Name("input.alias", in.Alias); err != nil {
		return nil, err
	}
	key, err := attest.ParsePublicKey([]byte(in.PublicKey))
	if err != nil {
		return nil, fault.At("input.publicKey", "%v", err)
	}
	if in.ValidFrom != nil && in.ValidTo != nil && !in.ValidTo.After(*in.ValidFrom) {
		return nil, fault.At("input.validTo", "must be later than validFrom, %s", day(*in.ValidFrom))
	}
	var id int
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := isNew(ctx, tx, in.Alias, key); err != nil {
			return err
		}
		anchor, err := tx.TrustAnchor.Create().
			SetAlias(in.Alias).SetKind(trustanchor.KindPUBLIC_KEY).SetPublicKey(string(key.PEM())).
			SetFingerprint(key.Fingerprint()).SetAlgorithm(key.Algorithm()).
			SetNillableValidFrom(in.ValidFrom).SetNillableValidTo(in.ValidTo).SetCreatedAt(s.now().UTC()).Save(ctx)
		if err != nil {
			return fmt.Errorf("write trust anchor: %w", err)
		}
		id = anchor.ID
		return s.log.Append(ctx, tx, anchorAdded(anchor))
	})
	if store.IsUnique(err) {
		return nil, fault.New(fault.Conflict, "another trust anchor with this alias or this key was added at the same time")
	}
	if err != nil {
		return nil, err
	}
	return s.anchor(ctx, id)
}

// isNew refuses an alias or a key that is registered.
func isNew(ctx context.Context, tx *db.Client, alias string, key attest.PublicKey) error {
	taken, err := tx.TrustAnchor.Query().
		Where(trustanchor.Or(trustanchor.Alias(alias), trustanchor.Fingerprint(key.Fingerprint()))).
		Order(trustanchor.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("look for trust anchors: %w", err)
	}
	if len(taken) == 0 {
		return nil
	}
	if taken[0].Alias == alias {
		return &fault.Error{Kind: fault.Conflict, Path: "input.alias", Message: fmt.Sprintf("there is a trust anchor %q already", alias)}
	}
	return &fault.Error{Kind: fault.Conflict, Path: "input.publicKey", Message: fmt.Sprintf("this key is registered already, as %q", taken[0].Alias)}
}

func anchorAdded(a *db.TrustAnchor) activity.Event {
	changes := []activity.Change{
		activity.Added("fingerprint", activity.Text(a.Fingerprint)),
		activity.Added("algorithm", activity.Text(a.Algorithm)),
	}
	if a.ValidFrom != nil {
		changes = append(changes, activity.Added("validFrom", activity.Text(day(*a.ValidFrom))))
	}
	if a.ValidTo != nil {
		changes = append(changes, activity.Added("validTo", activity.Text(day(*a.ValidTo))))
	}
	return activity.Event{
		Type: activity.TrustAnchorAdded, Subject: a.Alias, Changes: changes,
		Summary: fmt.Sprintf("the public key %q was added as a trust anchor", a.Alias),
	}
}

// RevokeTrustAnchor ends the trust in an anchor from now on. Revoking what is revoked is a FAILED_PRECONDITION.
func (s *Service) RevokeTrustAnchor(ctx context.Context, in RevokeTrustAnchorInput) (*db.TrustAnchor, error) {
	if _, err := auth.Allow(ctx, "revokeTrustAnchor", auth.Organisation); err != nil {
		return nil, err
	}
	var id int
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		anchor, err := tx.TrustAnchor.Query().Where(trustanchor.Alias(in.Alias)).Only(ctx)
		if db.IsNotFound(err) {
			return &fault.Error{Kind: fault.NotFound, Path: "input.alias", Message: fmt.Sprintf("there is no trust anchor %q", in.Alias)}
		}
		if err != nil {
			return fmt.Errorf("load trust anchor: %w", err)
		}
		now := s.now().UTC()
		n, err := tx.TrustAnchor.Update().Where(trustanchor.ID(anchor.ID), trustanchor.RevokedAtIsNil()).SetRevokedAt(now).Save(ctx)
		if err != nil {
			return fmt.Errorf("revoke trust anchor: %w", err)
		}
		if n == 0 {
			return &fault.Error{Kind: fault.FailedPrecondition, Path: "input.alias", Message: fmt.Sprintf("the trust anchor %q is revoked already", in.Alias)}
		}
		id = anchor.ID
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.TrustAnchorRevoked, Subject: anchor.Alias,
			Summary: fmt.Sprintf("signatures by the key %q are no longer trusted", anchor.Alias),
			Changes: []activity.Change{
				activity.Added("revokedAt", activity.Text(day(now))),
				activity.Added("fingerprint", activity.Text(anchor.Fingerprint)),
			},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.anchor(ctx, id)
}

// anchor reads a row outside the transaction, whose clients end with it.
func (s *Service) anchor(ctx context.Context, id int) (*db.TrustAnchor, error) {
	a, err := s.store.Read().TrustAnchor.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load trust anchor: %w", err)
	}
	return a, nil
}

// Anchors returns a page of the trust anchors, oldest first.
func (s *Service) Anchors(ctx context.Context, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.TrustAnchorConnection, error) {
	return s.store.Read().TrustAnchor.Query().Paginate(ctx, after, first, before, last)
}

// day writes an instant as events and sentences give it: RFC 3339 in UTC, to the second.
func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
