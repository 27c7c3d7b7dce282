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
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// AddTrustAnchor adds a public key or a keyless identity whose signatures count from now on. An alias, a key or an identity
// that is registered already, be it revoked, is a CONFLICT: what it vouched for points to it.
func (s *Service) AddTrustAnchor(ctx context.Context, in AddTrustAnchorInput) (*db.TrustAnchor, error) {
	if _, err := auth.Allow(ctx, "addTrustAnchor", auth.Organisation); err != nil {
		return nil, err
	}
	if err := check.Name("input.alias", in.Alias); err != nil {
		return nil, err
	}
	if in.Alias == Collector {
		return nil, fault.At("input.alias", "%q is what this installation is called where it signs for having received evidence; choose another alias", Collector)
	}
	added, path, err := in.anchor()
	if err != nil {
		return nil, err
	}
	if in.ValidFrom != nil && in.ValidTo != nil && !in.ValidTo.After(*in.ValidFrom) {
		return nil, fault.At("input.validTo", "must be later than validFrom, %s", day(*in.ValidFrom))
	}
	var id int
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := isNew(ctx, tx, in.Alias, added.Fingerprint, path); err != nil {
			return err
		}
		anchor, err := tx.TrustAnchor.Create().
			SetAlias(in.Alias).SetKind(added.Kind).SetPublicKey(added.PublicKey).
			SetIssuer(added.Issuer).SetSubject(added.Subject).SetTrustedRoot(added.TrustedRoot).
			SetFingerprint(added.Fingerprint).SetAlgorithm(added.Algorithm).
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

// anchor reads what to trust, and tells the path of the field that says it.
func (in AddTrustAnchorInput) anchor() (a db.TrustAnchor, path string, err error) {
	if (in.PublicKey == nil) == (in.Keyless == nil) {
		return a, "", fault.At("input", "give exactly one of publicKey and keyless")
	}
	if in.PublicKey != nil {
		path = "input.publicKey"
		key, err := attest.ParsePublicKey([]byte(*in.PublicKey))
		if err != nil {
			return a, path, fault.At(path, "%v", err)
		}
		return db.TrustAnchor{
			Kind: trustanchor.KindPUBLIC_KEY, PublicKey: string(key.PEM()), Fingerprint: key.Fingerprint(), Algorithm: key.Algorithm(),
		}, path, nil
	}
	path = "input.keyless"
	if err := check.Line(path+".issuer", in.Keyless.Issuer, 1, maxPredicateType); err != nil {
		return a, path, err
	}
	if err := check.Line(path+".subject", in.Keyless.Subject, 1, maxPredicateType); err != nil {
		return a, path, err
	}
	if err := attest.CheckSubjectPattern(in.Keyless.Subject); err != nil {
		return a, path, fault.At(path+".subject", "%v", err)
	}
	root, err := attest.ParseTrustedRoot([]byte(in.Keyless.TrustedRoot))
	if err != nil {
		return a, path, fault.At(path+".trustedRoot", "%v", err)
	}
	identity, err := canonical.JSON([]string{in.Keyless.Issuer, in.Keyless.Subject, root.Digest()})
	if err != nil {
		return a, path, fmt.Errorf("write keyless identity: %w", err)
	}
	return db.TrustAnchor{
		Kind: trustanchor.KindKEYLESS, Issuer: in.Keyless.Issuer, Subject: in.Keyless.Subject, TrustedRoot: in.Keyless.TrustedRoot,
		Fingerprint: canonical.Digest(identity),
	}, path, nil
}

// isNew refuses an alias, a key or an identity that is registered.
func isNew(ctx context.Context, tx *db.Client, alias, fingerprint, path string) error {
	taken, err := tx.TrustAnchor.Query().
		Where(trustanchor.Or(trustanchor.Alias(alias), trustanchor.Fingerprint(fingerprint))).
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
	return &fault.Error{Kind: fault.Conflict, Path: path, Message: fmt.Sprintf("this is registered already, as %q", taken[0].Alias)}
}

func anchorAdded(a *db.TrustAnchor) activity.Event {
	changes := []activity.Change{
		activity.Added("fingerprint", activity.Text(a.Fingerprint)),
	}
	what := "public key"
	if a.Kind == trustanchor.KindKEYLESS {
		what = "keyless identity"
		changes = append(changes, activity.Added("issuer", activity.Text(a.Issuer)), activity.Added("subject", activity.Person(a.Subject)))
	} else {
		changes = append(changes, activity.Added("algorithm", activity.Text(a.Algorithm)))
	}
	if a.ValidFrom != nil {
		changes = append(changes, activity.Added("validFrom", activity.Text(day(*a.ValidFrom))))
	}
	if a.ValidTo != nil {
		changes = append(changes, activity.Added("validTo", activity.Text(day(*a.ValidTo))))
	}
	return activity.Event{
		Type: activity.TrustAnchorAdded, Subject: a.Alias, Changes: changes,
		Summary: fmt.Sprintf("the %s %q was added as a trust anchor", what, a.Alias),
	}
}

// RevokeTrustAnchor ends the trust in an anchor from now on, and makes the trusted releases that rest on what it verified
// SUSPECT, in one transaction. It returns the anchor and how many releases these are. Revoking what is revoked is a
// FAILED_PRECONDITION.
func (s *Service) RevokeTrustAnchor(ctx context.Context, in RevokeTrustAnchorInput) (*db.TrustAnchor, int, error) {
	if _, err := auth.Allow(ctx, "revokeTrustAnchor", auth.Organisation); err != nil {
		return nil, 0, err
	}
	var id, suspected int
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		if err := s.takeBack(ctx, tx); err != nil {
			return err
		}
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
		if err := s.log.Append(ctx, tx, anchorRevoked(anchor, now)); err != nil {
			return err
		}
		suspected, err = s.suspectAll(ctx, tx, anchor)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	a, err := s.anchor(ctx, id)
	return a, suspected, err
}

func anchorRevoked(a *db.TrustAnchor, at time.Time) activity.Event {
	return activity.Event{
		Type: activity.TrustAnchorRevoked, Subject: a.Alias,
		Summary: fmt.Sprintf("signatures by %q are no longer trusted", a.Alias),
		Changes: []activity.Change{
			activity.Added("revokedAt", activity.Text(day(at))),
			activity.Added("fingerprint", activity.Text(a.Fingerprint)),
		},
	}
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
