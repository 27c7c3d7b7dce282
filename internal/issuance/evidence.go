package issuance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	dbevidence "github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/evidencewithdrawal"
	"github.com/plimsoll/plimsoll/ent/db/signingkey"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/passport"
)

// addEvidence adds every piece of evidence that the statements name: the bytes, what was said of them when they came, and
// whom they were checked with.
func (g *gathering) addEvidence(ctx context.Context) error {
	digests := named(g.statements, func(st statement) []string { return st.predicate.Evidence })
	rows, err := g.s.store.Read().Evidence.Query().
		Where(dbevidence.DigestIn(digests...), dbevidence.Or(dbevidence.ProjectIDIsNil(), dbevidence.ProjectID(g.version.ProjectID))).
		WithAnchor().WithSubjects(func(q *db.EvidenceSubjectQuery) { q.Order(evidencesubject.ByID()) }).
		Order(dbevidence.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the evidence of version %d: %w", g.version.ID, err)
	}
	// Of several with one payload the first that an anchor vouches for, or else the first.
	chosen := map[string]*db.Evidence{}
	for _, e := range rows {
		if kept := chosen[e.Digest]; kept == nil || e.Verified && !kept.Verified {
			chosen[e.Digest] = e
		}
	}
	ids := make([]int, 0, len(chosen))
	for _, e := range chosen {
		ids = append(ids, e.ID)
	}
	withdrawn, err := g.withdrawn(ctx, ids)
	if err != nil {
		return err
	}
	var collectors []string
	for _, d := range digests {
		e := chosen[d]
		if e == nil { // out of reach: it is listed
			g.add(file{File: passport.File{Path: evidencePath(d), Kind: passport.KindEvidence, Digest: d, LeftOut: true}})
			g.page.Evidence = append(g.page.Evidence, passport.PageEvidence{
				EvidenceRecord: passport.EvidenceRecord{Digest: d}, Missing: "left out: it is out of the reach of whoever asked for this passport",
			})
			continue
		}
		if err := g.addPiece(e, withdrawn[e.ID]); err != nil {
			return err
		}
		if identity, _, _ := evidence.SignerOf(e); e.Collected {
			collectors = append(collectors, identity)
		}
	}
	return g.addCollectors(ctx, collectors)
}

func evidencePath(digest string) string { return "evidence/" + strings.TrimPrefix(digest, "sha256:") }

// withdrawn tells when evidence was withdrawn, by its rows.
func (g *gathering) withdrawn(ctx context.Context, ids []int) (map[int]string, error) {
	rows, err := g.s.store.Read().EvidenceWithdrawal.Query().Where(evidencewithdrawal.EvidenceIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up withdrawn evidence: %w", err)
	}
	at := make(map[int]string, len(rows))
	for _, w := range rows {
		at[w.EvidenceID] = instant(w.At)
	}
	return at, nil
}

// addPiece adds one piece of evidence.
func (g *gathering) addPiece(e *db.Evidence, withdrawn string) error {
	f := passport.File{Path: evidencePath(e.Digest), Kind: passport.KindEvidence, Digest: e.RawDigest, Size: int64(e.Size)}
	if e.Digest != e.RawDigest {
		f.Names = e.Digest
	}
	g.add(file{File: f, open: func(ctx context.Context) (io.ReadCloser, error) { return g.s.evidence.OpenRaw(ctx, e) }})
	r := passport.EvidenceRecord{
		Digest: e.Digest, PredicateType: e.PredicateType, MediaType: e.MediaType, Verified: e.Verified, Verification: e.Verification,
		CreatedAt: instant(e.CreatedAt), Withdrawn: withdrawn, Subjects: []passport.Subject{},
	}
	for _, s := range e.Edges.Subjects {
		r.Subjects = append(r.Subjects, passport.Subject{Name: s.Name, Digest: s.Digest})
	}
	if e.Collected {
		r.Signer = evidence.Collector
	}
	if a := e.Edges.Anchor; a != nil {
		r.Signer = a.Alias
		if err := g.addAnchor(a); err != nil {
			return err
		}
	}
	record, err := canonical.JSON(r)
	if err != nil {
		return fmt.Errorf("write what was said of evidence %s: %w", e.Digest, err)
	}
	g.add(text(f.Path+".json", passport.KindEvidenceRecord, record))
	g.page.Evidence = append(g.page.Evidence, passport.PageEvidence{EvidenceRecord: r})
	return nil
}

// addAnchor adds the key or the identity that evidence was checked with.
func (g *gathering) addAnchor(a *db.TrustAnchor) error {
	described := passport.Anchor{
		Alias: a.Alias, Kind: string(a.Kind), Fingerprint: a.Fingerprint, Issuer: a.Issuer, Subject: a.Subject,
	}
	path := "keys/anchors/" + aliasPath(a)
	if a.Kind == trustanchor.KindPUBLIC_KEY {
		g.add(text(path+".pub", passport.KindAnchor, []byte(a.PublicKey)))
	} else {
		described.TrustedRoot = json.RawMessage(a.TrustedRoot)
	}
	about, err := canonical.JSON(described)
	if err != nil {
		return fmt.Errorf("write trust anchor %q: %w", a.Alias, err)
	}
	g.add(text(path+".json", passport.KindAnchor, about))
	return nil
}

// aliasPath calls the files of an anchor by its alias, and by its fingerprint, too, where that is no name of a file.
func aliasPath(a *db.TrustAnchor) string {
	name := plain(a.Alias)
	if name == a.Alias && strings.ToLower(name) == name {
		return name
	}
	const digits = 12
	return "anchor-" + name + "-" + strings.TrimPrefix(a.Fingerprint, "sha256:")[:digits]
}

// addCollectors adds the keys with which this installation signed for having received evidence.
func (g *gathering) addCollectors(ctx context.Context, fingerprints []string) error {
	if len(fingerprints) == 0 {
		return nil
	}
	keys, err := g.s.store.Read().SigningKey.Query().Where(signingkey.FingerprintIn(fingerprints...)).All(ctx)
	if err != nil {
		return fmt.Errorf("load the keys that collected evidence: %w", err)
	}
	for _, k := range keys {
		g.addReleaseKey(k)
	}
	return nil
}
