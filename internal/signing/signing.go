// Package signing makes statements about versions and keeps them: it owns the attestations, and the public keys they
// were signed with. A statement is signed before the transaction that records it (Sign), and recorded in the same
// transaction as what it states (Record), so that there is no signature for something that did not happen, and nothing
// happened without its signature.
package signing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/signingkey"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service signs with the installation's release key.
type Service struct {
	store  *store.Store
	log    *activity.Log
	signer *attest.Signer
	now    func() time.Time
	keyID  int
}

// New returns a service that signs with signer, after recording its public key. Whoever acts in ctx is said to have put
// a new key in use.
func New(ctx context.Context, s *store.Store, log *activity.Log, signer *attest.Signer, now func() time.Time) (*Service, error) {
	svc := &Service{store: s, log: log, signer: signer, now: now}
	err := s.InTx(ctx, svc.useKey(ctx))
	if store.IsUnique(err) { // another server of this installation was faster
		err = s.InTx(ctx, svc.useKey(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("record the signing key: %w", err)
	}
	return svc, nil
}

func (s *Service) useKey(ctx context.Context) func(*db.Client) error {
	return func(tx *db.Client) error {
		key, err := tx.SigningKey.Query().Where(signingkey.Fingerprint(s.signer.Fingerprint())).Only(auth.System(ctx))
		if err == nil {
			s.keyID = key.ID
			return nil
		}
		if !db.IsNotFound(err) {
			return err
		}
		key, err = tx.SigningKey.Create().SetFingerprint(s.signer.Fingerprint()).
			SetPublicKey(string(s.signer.PublicKeyPEM())).SetCreatedAt(s.now().UTC()).Save(ctx)
		if err != nil {
			return err
		}
		s.keyID = key.ID
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.SigningKeyAdded, Subject: key.Fingerprint,
			Summary: "a release key was put in use: " + key.Fingerprint,
		})
	}
}

// PublicKeyPEM returns the key that verifies what is signed now.
func (s *Service) PublicKeyPEM() []byte { return s.signer.PublicKeyPEM() }

// Sign signs one in-toto Statement v1 about the subjects.
func (s *Service) Sign(ctx context.Context, subjects []attest.Subject, predicateType string, predicate any) (Signed, error) {
	st, err := attest.NewStatement(subjects, predicateType, predicate)
	if err != nil {
		return Signed{}, fmt.Errorf("make statement %s: %w", predicateType, err)
	}
	return s.SignStatement(ctx, st)
}

// SignStatement signs a statement that is made already.
func (s *Service) SignStatement(ctx context.Context, st attest.Statement) (Signed, error) {
	signed, err := s.signer.Sign(ctx, st)
	if err != nil {
		return Signed{}, fmt.Errorf("sign statement %s: %w", st.PredicateType, err)
	}
	return Signed{PredicateType: st.PredicateType, Signed: signed}, nil
}

// Signed is a signed statement that is not recorded yet.
type Signed struct {
	PredicateType string
	attest.Signed
}

// Record writes signed statements about a version in the caller's transaction; promotion may be nil.
func (s *Service) Record(ctx context.Context, tx *db.Client, v *db.ApplicationVersion, promotion *db.Promotion, statements ...Signed) error {
	for _, st := range statements {
		create := tx.Attestation.Create().SetDigest(st.Digest).SetPredicateType(st.PredicateType).
			SetStatement(string(st.Statement)).SetBundle(string(st.Bundle)).SetCreatedAt(s.now().UTC()).
			SetVersionID(v.ID).SetProjectID(v.ProjectID).SetSigningKeyID(s.keyID)
		if promotion != nil {
			create.SetPromotionID(promotion.ID)
		}
		if err := create.Exec(ctx); err != nil {
			return fmt.Errorf("record statement %s: %w", st.PredicateType, err)
		}
	}
	return nil
}

// Changes tells the activity log which statements an event brought, by their digests.
func Changes(statements []Signed) []activity.Change {
	changes := make([]activity.Change, len(statements))
	for i, st := range statements {
		changes[i] = activity.Added("attestation "+st.PredicateType, activity.Text(st.Digest))
	}
	return changes
}

// Of returns the signed statements about a version, oldest first.
func (s *Service) Of(ctx context.Context, v *db.ApplicationVersion) ([]*db.Attestation, error) {
	return s.store.Read().Attestation.Query().Where(attestation.VersionID(v.ID)).
		WithSigningKey().Order(attestation.ByID(sql.OrderAsc())).All(ctx)
}

// VersionSubjects names what a statement about a version is about: its manifest first, then everything in it that has a
// digest.
func VersionSubjects(application, version, manifestDigest string, contents []*db.Releasable) ([]attest.Subject, error) {
	hex, ok := cutSHA256(manifestDigest)
	if !ok {
		return nil, errors.New("the manifest digest is not a SHA-256")
	}
	subjects := []attest.Subject{{Name: application + "@" + version, Digest: map[string]string{"sha256": hex}}}
	for _, r := range contents {
		if r.Digest == nil {
			continue
		}
		if hex, ok := cutSHA256(*r.Digest); ok {
			subjects = append(subjects, attest.Subject{Name: r.Name, Digest: map[string]string{"sha256": hex}})
		}
	}
	return subjects, nil
}

func cutSHA256(digest string) (string, bool) {
	const prefix = "sha256:"
	if len(digest) <= len(prefix) || digest[:len(prefix)] != prefix {
		return "", false
	}
	return digest[len(prefix):], true
}
