package evidence

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/signing"
)

// restingOn selects the trusted releases that rest on a piece of evidence.
func restingOn(id int) string { return resting("e.id = " + strconv.Itoa(id)) }

// restingOnAnchor selects those that rest on what an anchor verified. What was withdrawn before a version was released did not
// count for it, and what was withdrawn later made it suspect.
func restingOnAnchor(anchor int) string {
	return resting("e.anchor_id = " + strconv.Itoa(anchor) + " AND e.verified" +
		" AND NOT EXISTS (SELECT 1 FROM evidence_withdrawals gone WHERE gone.evidence_id = e.id)")
}

// resting selects the trusted releases, in order, that rest on evidence for which the condition holds: it is about the version,
// about something in it, about a build that made something in it, or about an image index that holds something in it; it counts
// in the project; and it had arrived when the version was released by what was not taken back. The joins say in which order to
// go: SQLite would not know that what evidence is about is little, and the versions are many.
func resting(condition string) string {
	const counts = " AND COALESCE(h.project_id, v.project_id) = v.project_id"
	const from = " SELECT v.id, h.arrived FROM hit h CROSS JOIN "
	return "WITH hit AS MATERIALIZED (SELECT s.digest, e.project_id, MIN(e.created_at) AS arrived FROM evidence e CROSS JOIN evidence_subjects s" +
		" WHERE " + condition + " AND s.evidence_id = e.id GROUP BY s.digest, e.project_id)" +
		", held AS (" + from + "application_versions v WHERE v.manifest_digest = h.digest" + counts +
		" UNION ALL" + from + "releasables r CROSS JOIN application_versions v WHERE r.digest = h.digest AND v.id = r.version_id" + counts +
		" UNION ALL" + from + "builds b CROSS JOIN releasables r CROSS JOIN application_versions v" +
		" WHERE b.digest = h.digest AND r.source_build_id = b.id AND v.id = r.version_id" + counts +
		" UNION ALL" + from + "image_children c CROSS JOIN releasables r CROSS JOIN application_versions v" +
		" WHERE c.index_digest = h.digest AND r.digest = c.digest AND v.id = r.version_id" + counts + ")" +
		" SELECT w.id FROM (SELECT id, MIN(arrived) AS arrived FROM held GROUP BY id) first CROSS JOIN application_versions w" +
		" WHERE w.id = first.id AND w.trust = 'TRUSTED_RELEASE' AND w.standing IN ('GOOD', 'AT_RISK')" +
		" AND first.arrived <= (SELECT MAX(p.at) FROM promotions p WHERE p.version_id = first.id AND p.kind = 'RELEASE'" +
		" AND p.status = 'COMPLETED' AND NOT EXISTS (SELECT 1 FROM promotions u WHERE u.undoes_id = p.id)) ORDER BY w.id"
}

// suspect makes the releases that a statement selects SUSPECT, each with a signed statement and an event, and tells how many
// they are. Takes turns: takeBack was called before.
func (s *Service) suspect(ctx context.Context, tx *db.Client, statement string, because signing.Reason) (int, error) {
	ids, err := numbersOf(auth.System(ctx), tx, statement)
	if err != nil {
		return 0, fmt.Errorf("find what rests on evidence: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	if s.collector == nil {
		return 0, errors.New("change standings: there is no key to sign with")
	}
	from := []applicationversion.Standing{applicationversion.StandingGOOD, applicationversion.StandingAT_RISK}
	return s.collector.sign.Restand(ctx, tx, ids, from, applicationversion.StandingSUSPECT,
		func(*db.ApplicationVersion) signing.Reason { return because })
}

// suspectAll makes the releases SUSPECT that rest on what an anchor verified, and has those judged again that its VEX spoke of.
func (s *Service) suspectAll(ctx context.Context, tx *db.Client, a *db.TrustAnchor) (int, error) {
	n, err := s.suspect(ctx, tx, restingOnAnchor(a.ID), signing.Reason{
		Status:  signing.Status{Cause: signing.SignerRevoked, Signer: &signing.Signer{Alias: a.Alias, Fingerprint: a.Fingerprint}},
		Summary: fmt.Sprintf("is suspect: it rests on the word of %q, who is trusted no longer", a.Alias),
		Changes: []activity.Change{
			activity.Added("signer", activity.Text(a.Alias)), activity.Added("fingerprint", activity.Text(a.Fingerprint)),
		},
	})
	if err != nil {
		return 0, err
	}
	spoke, err := tx.Evidence.Query().Where(evidence.AnchorID(a.ID), evidence.SaysVex(true), evidence.Verified(true)).
		Select(evidence.FieldSaysVex, evidence.FieldVerified).Order(evidence.ByID()).All(auth.System(ctx))
	if err != nil {
		return 0, fmt.Errorf("load VEX evidence of trust anchor %q: %w", a.Alias, err)
	}
	return n, s.matcher.takenBack(ctx, tx, spoke...)
}

// numbersOf gives the row numbers that a statement selects.
func numbersOf(ctx context.Context, client *db.Client, statement string) (ids []int, err error) {
	rows, err := client.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
