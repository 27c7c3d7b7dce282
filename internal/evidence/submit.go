package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// entry is a claim with all that was found out about it: what the transaction writes.
type entry struct {
	claim
	judgement
	home     home
	provider string
	bill     *bill // nil when it is not an SBOM
	stageID  *int
	pusher   auth.Principal
	at       time.Time
}

// Submit takes a signed envelope or a document as evidence. The same evidence again, be it signed anew by the same key,
// changes nothing and gives the record that is there, with alreadyKnown true.
//
// What is malformed, says of itself that it is an SBOM and is none, or has a signature that does not match is a
// BAD_USER_INPUT fault with the path of the field. What is refused leaves nothing
// behind.
func (s *Service) Submit(ctx context.Context, in SubmitEvidenceInput) (ev *db.Evidence, alreadyKnown bool, err error) {
	if err := in.check(); err != nil {
		return nil, false, err
	}
	r, err := reachOf(ctx)
	if err != nil {
		return nil, false, err
	}
	e := entry{pusher: r.pusher, at: s.now().UTC()}
	if in.Provider != nil {
		e.provider = *in.Provider
	}
	if e.claim, err = s.read(ctx, in); err != nil {
		return nil, false, err
	}
	if err := mayPush(r.pusher, e.predicateType); err != nil {
		return nil, false, err
	}
	if e.home, err = s.home(ctx, r, e.claim); err != nil {
		return nil, false, err
	}
	if e.judgement, err = s.judge(ctx, e.claim, e.at); err != nil {
		return nil, false, err
	}
	known, err := s.known(ctx, s.store.Read(), e)
	if err != nil || known != nil {
		return known, known != nil, err
	}
	if e.bill, err = readBill(e.claim); err != nil {
		return nil, false, err
	}
	if e.stageID, err = s.stageOf(ctx, e.home, e.claim); err != nil {
		return nil, false, err
	}
	return s.write(ctx, e)
}

func (s *Service) read(ctx context.Context, in SubmitEvidenceInput) (claim, error) {
	if in.Envelope != nil {
		return readEnvelope(*in.Envelope)
	}
	return s.readDocument(ctx, in.Document)
}

// known returns the record of the same evidence, or nil. Evidence that was verified while its key was valid stays the
// same when it is pushed again after the key has lapsed.
func (s *Service) known(ctx context.Context, client *db.Client, e entry) (*db.Evidence, error) {
	signers := []string{e.signerKey}
	if e.lapsedKey != "" {
		signers = append(signers, e.lapsedKey)
	}
	// The realm is one that the pusher may push to, so there is nothing to narrow.
	sys := auth.System(ctx)
	found, err := client.Evidence.Query().
		Where(evidence.Digest(e.digest), evidence.SignerKeyIn(signers...), evidence.Realm(e.home.realm())).
		Order(db.Desc(evidence.FieldVerified), evidence.ByID()).First(sys)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the same evidence: %w", err)
	}
	return found, nil
}

// write records the entry, unless somebody else recorded the same meanwhile.
func (s *Service) write(ctx context.Context, e entry) (ev *db.Evidence, alreadyKnown bool, err error) {
	id := 0
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		if err := e.stillTrusted(ctx, tx); err != nil {
			return err
		}
		id, err = s.record(ctx, tx, e)
		if err != nil || id != 0 {
			return err
		}
		known, err := s.known(ctx, tx, e)
		if err != nil {
			return err
		}
		if known == nil {
			return fmt.Errorf("evidence %s is neither new nor there", e.digest)
		}
		id, alreadyKnown = known.ID, true
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if !alreadyKnown {
		s.remember(e)
	}
	// Read again: what a transaction's client returned ends with the transaction.
	ev, err = s.store.Read().Evidence.Get(auth.System(ctx), id)
	if err != nil {
		return nil, false, fmt.Errorf("load evidence: %w", err)
	}
	return ev, alreadyKnown, nil
}
