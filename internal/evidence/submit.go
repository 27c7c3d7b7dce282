package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/view"
)

// entry is a claim with all that was found out about it: what the transaction writes.
type entry struct {
	claim
	judgement
	home     home
	provider string
	bill     *bill             // nil when it is not an SBOM
	view     string            // JSON; empty when its type has none
	children []view.ImageChild // of an image index
	stageID  *int
	pusher   auth.Principal
	// attachments came with it, staged.
	attachments []stagedFile
	at          time.Time

	packed store.Packed   // the raw bytes, when they go into the database
	event  activity.Entry // that it arrived
}

// saysVex tells whether the view has VEX statements. It is JSON: in a text, quotes would not stand alone.
func (e *entry) saysVex() bool { return strings.Contains(e.view, `"vex":`) }

// judgesByVex tells whether it says by VEX what counts.
func (e *entry) judgesByVex() bool { return e.verified && e.saysVex() }

// rawDigest is the digest of the bytes as they came, once it is prepared.
func (e *entry) rawDigest() string {
	if e.staged != nil {
		return e.staged.Digest
	}
	return e.packed.Digest
}

// Submit takes something signed or a document as evidence. The same evidence again, be it signed anew by the same key,
// changes nothing and gives the record that is there, with alreadyKnown true.
//
// What is malformed, is not what its type promises, or has a signature that does not match is a BAD_USER_INPUT fault with
// the path of the field. What is refused leaves nothing behind.
func (s *Service) Submit(ctx context.Context, in SubmitEvidenceInput) (ev *db.Evidence, alreadyKnown bool, err error) {
	r, claims, err := s.read(ctx, in)
	if err != nil {
		return nil, false, err
	}
	if len(claims) > 1 {
		return nil, false, fault.At("input.envelope", "holds %d attestations: send them with submitEvidenceBatch, which answers for each", len(claims))
	}
	anchors, err := s.anchors(ctx)
	if err != nil {
		return nil, false, err
	}
	e, known, err := s.examine(ctx, r, anchors, in.Provider, claims[0])
	if err != nil || known != nil {
		return known, known != nil, err
	}
	if err := s.prepare(ctx, &e); err != nil {
		return nil, false, err
	}
	return s.write(ctx, e)
}

// read checks who pushes and what, and reads the claims that are made: one, or several when GitHub attestations or lines
// of JSON hold several.
func (s *Service) read(ctx context.Context, in SubmitEvidenceInput) (reach, []claim, error) {
	if err := in.check(); err != nil {
		return reach{}, nil, err
	}
	r, err := reachOf(ctx)
	if err != nil {
		return reach{}, nil, err
	}
	if in.Document != nil {
		c, err := s.readDocument(ctx, documentPath, in.Document, []byte(in.Document.Content))
		return r, []claim{c}, err
	}
	claims, err := readEnvelopes("input.envelope", []byte(*in.Envelope))
	return r, claims, err
}

// readEnvelopes reads one signed claim, or the several that a container of attestations holds.
func readEnvelopes(path string, raw []byte) ([]claim, error) {
	c, err := readSigned(path, raw)
	if err == nil {
		return []claim{c}, nil
	}
	members, notContainer := attest.SplitAttestations(raw, MaxBatch)
	if notContainer != nil || len(members) == 1 && len(members[0]) == len(bytes.TrimSpace(raw)) {
		return nil, err
	}
	claims := make([]claim, len(members))
	for i, member := range members {
		if claims[i], err = readSigned(path, member); err != nil {
			return nil, err
		}
	}
	return claims, nil
}

// examine finds out all about a claim. Known is the record of the same evidence, when it was looked for and there is one:
// to look costs less than to read an SBOM, and more than to leave it to the unique index.
func (s *Service) examine(ctx context.Context, r reach, anchors []*db.TrustAnchor, provider *string, c claim) (e entry, known *db.Evidence, err error) {
	e = entry{claim: c, pusher: r.pusher, at: s.now().UTC()}
	if provider != nil {
		e.provider = *provider
	}
	if err := mayPush(r.pusher, e.predicateType); err != nil {
		return e, nil, err
	}
	if e.home, err = s.home(ctx, r, e.claim); err != nil {
		return e, nil, err
	}
	if e.judgement, err = s.judge(e.claim, anchors, e.at); err != nil {
		return e, nil, err
	}
	if _, isBill := sbomFormat(e.predicateType); isBill || e.lapsedKey != "" {
		if known, err = s.known(ctx, s.store.Read(), e); err != nil || known != nil {
			return e, known, err
		}
	}
	if e.bill, err = readBill(e.claim); err != nil {
		return e, nil, err
	}
	if e.view, err = readView(e.claim); err != nil {
		return e, nil, err
	}
	if e.children, err = readChildren(e.claim); err != nil {
		return e, nil, err
	}
	return e, nil, nil
}

// prepare does what can be done before the transaction: nobody should wait for it.
func (s *Service) prepare(ctx context.Context, e *entry) (err error) {
	if e.staged == nil {
		if e.packed, err = store.Pack(e.raw); err != nil {
			return err
		}
	}
	if e.bill != nil {
		if err := s.findComponents(ctx, e.bill); err != nil {
			return err
		}
	}
	e.event, err = s.log.LayOut(ctx, submitted(*e))
	return err
}

// readView gives what a claim says in the shape of its category, as JSON; empty when its type has none. A document must be
// what it is called. What somebody has signed is kept as it is: a predicate of another shape has no view.
func readView(c claim) (string, error) {
	if _, isBill := sbomFormat(c.predicateType); isBill && !mentionsVulnerabilities(c.predicate) {
		return "", nil
	}
	v, known, err := view.Read(c.predicateType, c.predicate)
	if err != nil && c.signed() {
		return "", nil
	}
	if err != nil {
		return "", fault.At(c.path, "refused: type %s promises more: %v", c.predicateType, err)
	}
	if !known || v == (view.View{}) {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write view: %w", err)
	}
	return string(b), nil
}

// mentionsVulnerabilities tells whether an SBOM may list vulnerabilities. Most do not, and need not be read once more to find
// that out. A name of JSON may be spelled with escapes.
func mentionsVulnerabilities(document []byte) bool {
	return bytes.Contains(document, []byte("vulnerabilities")) || bytes.Contains(document, []byte(`\u`))
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
