package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

// identity is what makes evidence one; see the columns.
type identity struct{ digest, signerKey, realm string }

func (e *entry) identity() identity { return identity{e.digest, e.signerKey, e.home.realm()} }

// record writes entries with all that belongs to them, and their events. It returns the rows of those that are new, and
// writes nothing for the same evidence that is there already: another transaction may have been faster.
//
// Every transaction takes its rows in the same order (SBOMs, components by identity, evidence by identity, bytes by
// digest, images by digest), so that on Postgres two that share some wait for each other one way only.
func (s *Service) record(ctx context.Context, tx *db.Client, entries []*entry) (map[identity]int, error) {
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.digest, b.digest), cmp.Compare(a.signerKey, b.signerKey), cmp.Compare(a.home.realm(), b.home.realm()))
	})
	if err := s.matcher.beginVex(auth.System(ctx), tx, entries); err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	ids := make(map[identity]int, len(entries))
	err = s.store.Insert(ctx, tx, rows, func(dest func(...any) error) error {
		var id int
		var of identity
		err := dest(&id, &of.digest, &of.signerKey, &of.realm)
		ids[of] = id
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write evidence: %w", err)
	}
	fresh := firstOfEach(entries, ids)
	if len(fresh) == 0 {
		return ids, nil
	}
	var blobs []store.Packed
	events := make([]activity.Entry, len(fresh))
	subjects := store.Rows{Table: evidencesubject.Table, Columns: []string{
		evidencesubject.FieldEvidenceID, evidencesubject.FieldName, evidencesubject.FieldDigest, evidencesubject.FieldPurl,
	}}
	for i, e := range fresh {
		id := ids[e.identity()]
		if events[i] = e.event; e.staged == nil {
			blobs = append(blobs, e.packed)
		}
		for _, one := range e.subjects {
			subjects.Add(id, one.name, one.digest, known(one.purl))
		}
		if _, err := s.recordAttachments(ctx, tx, id, *e); err != nil {
			return nil, err
		}
	}
	if err := s.store.PutBlobs(ctx, tx, blobs); err != nil {
		return nil, err
	}
	if err := s.store.Insert(ctx, tx, subjects, nil); err != nil {
		return nil, fmt.Errorf("write subjects of evidence: %w", err)
	}
	if err := s.recordChildren(ctx, tx, fresh); err != nil {
		return nil, err
	}
	if err := s.log.Write(ctx, tx, events...); err != nil {
		return nil, err
	}
	return ids, s.matcher.said(ctx, tx, fresh, ids)
}

// firstOfEach are the entries for which a row was written, of equal ones the first.
func firstOfEach(entries []*entry, ids map[identity]int) []*entry {
	seen := make(map[identity]bool, len(ids))
	var fresh []*entry
	for _, e := range entries {
		if of := e.identity(); ids[of] != 0 && !seen[of] {
			seen[of] = true
			fresh = append(fresh, e)
		}
	}
	return fresh
}

// rows are those of the evidence table. SBOMs are written first, because the rows refer to them.
func (s *Service) rows(ctx context.Context, tx *db.Client, entries []*entry) (store.Rows, error) {
	rows := store.Rows{
		Table: evidence.Table,
		Columns: []string{
			evidence.FieldDigest, evidence.FieldSignerKey, evidence.FieldRealm, evidence.FieldRawDigest, evidence.FieldRawInObjects, evidence.FieldMediaType,
			evidence.FieldSize, evidence.FieldPredicateType, evidence.FieldCategory, evidence.FieldView, evidence.FieldSaysVex, evidence.FieldVerified, evidence.FieldCollected,
			evidence.FieldVerification, evidence.FieldProvider, evidence.FieldStageID, evidence.FieldCreatedBy, evidence.FieldCreatedAt,
			evidence.FieldAnchorID, evidence.FieldProjectID, evidence.FieldSbomID,
		},
		Unique:    []string{evidence.FieldDigest, evidence.FieldSignerKey, evidence.FieldRealm},
		Returning: []string{evidence.FieldID, evidence.FieldDigest, evidence.FieldSignerKey, evidence.FieldRealm},
	}
	if err := s.recordBills(auth.System(ctx), tx, entries); err != nil {
		return rows, err
	}
	for _, e := range entries {
		var anchor, project, bill *int
		if e.anchor != nil {
			anchor = &e.anchor.ID
		}
		if e.home.project != nil {
			project = &e.home.project.ID
		}
		if e.bill != nil {
			bill = &e.bill.id
		}
		rows.Add(e.digest, e.signerKey, e.home.realm(), e.rawDigest(), e.staged != nil, e.mediaType,
			e.size(), e.predicateType, string(categoryOf(e.predicateType)), e.view, e.saysVex(), e.verified, e.collected,
			e.reason, e.provider, e.stageID, e.pusher.ID, e.at,
			anchor, project, bill)
	}
	return rows, nil
}

// submitted tells the log of new evidence. The subjects that do not stand in it are in the statement, whose digest does.
func submitted(e entry) activity.Event {
	const shown = 5
	judged, signer := "unverified", activity.Text(e.signerKey)
	switch {
	case e.collected:
		judged, signer = "collected", activity.Text(Collector)
	case e.verified:
		judged, signer = "verified", activity.Text(e.anchor.Alias)
	}
	changes := []activity.Change{
		activity.Added("digest", activity.Text(e.digest)),
		activity.Added("predicateType", activity.Text(e.predicateType)),
		activity.Added("verified", activity.Text(fmt.Sprint(e.verified))),
		activity.Added("verification", activity.Text(e.reason)),
	}
	if e.signed() {
		changes = append(changes, activity.Added("signer", signer))
	}
	var digests []string
	for _, s := range e.subjects[:min(shown, len(e.subjects))] {
		digests = append(digests, s.digest)
	}
	if more := len(e.subjects) - shown; more > 0 {
		digests = append(digests, fmt.Sprintf("and %d more", more))
	}
	changes = append(changes, activity.Added("subjects", activity.Text(strings.Join(digests, " "))))
	changes = append(changes, attached(e)...)
	return activity.Event{
		Type: activity.EvidenceSubmitted, Project: e.home.project, Subject: e.digest, Changes: changes,
		Summary: fmt.Sprintf("%s evidence of type %s was submitted", judged, e.predicateType),
	}
}

// known is nil for an empty text.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
