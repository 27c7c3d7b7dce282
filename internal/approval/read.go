package approval

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/versionapproval"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// MaxApprovals is how many approvals of a version are shown: the newest.
const MaxApprovals = 200

// Counts tells whether an approval is the latest word of its person about the version.
func (s *Service) Counts(ctx context.Context, a *db.VersionApproval) (bool, error) {
	later, err := s.store.Read().VersionApproval.Query().
		Where(versionapproval.VersionID(a.VersionID), versionapproval.ApproverID(a.ApproverID), versionapproval.IDGT(a.ID)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a later word than approval %d: %w", a.ID, err)
	}
	return !later, nil
}

// Of returns what people said of each of the versions, oldest first, at most the newest MaxApprovals.
func (s *Service) Of(ctx context.Context, versionIDs []int) (map[int][]*db.VersionApproval, error) {
	out := make(map[int][]*db.VersionApproval, len(versionIDs))
	for _, id := range versionIDs {
		rows, err := s.store.Read().VersionApproval.Query().Where(versionapproval.VersionID(id)).
			Order(db.Desc(versionapproval.FieldID)).Limit(MaxApprovals).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load approvals of version %d: %w", id, err)
		}
		slices.Reverse(rows)
		out[id] = rows
	}
	return out, nil
}

// Said is what somebody said of a version, as a gate looks at it.
type Said struct {
	*db.VersionApproval
	By Person
	// Statement is the digest of what was signed.
	Statement string
	// Counts is true for the latest word of this person.
	Counts bool
}

// ForGate returns what gates are to know: what was said of a version, oldest first, and who made it. The latest word of each
// person is always there, of the others the newest. It reads as the service itself, because a decision must not depend on who
// asks for it.
func (s *Service) ForGate(ctx context.Context, v *db.ApplicationVersion) ([]Said, Person, error) {
	sys := auth.System(ctx)
	latest := func(sel *sql.Selector) {
		of := sql.Dialect(sel.Dialect()).Table(versionapproval.Table).As("of")
		sel.Where(sql.In(sel.C(versionapproval.FieldID), sql.Dialect(sel.Dialect()).Select(sql.Max(of.C(versionapproval.FieldID))).From(of).
			Where(sql.EQ(of.C(versionapproval.FieldVersionID), v.ID)).GroupBy(of.C(versionapproval.FieldApproverID))))
	}
	counting, err := s.store.Read().VersionApproval.Query().Where(latest).WithAttestation().All(sys)
	if err != nil {
		return nil, Person{}, fmt.Errorf("load approvals of version %d: %w", v.ID, err)
	}
	rows := counting
	if len(counting) > 0 {
		newest, err := s.store.Read().VersionApproval.Query().Where(versionapproval.VersionID(v.ID)).WithAttestation().
			Order(db.Desc(versionapproval.FieldID)).Limit(MaxApprovals).All(sys)
		if err != nil {
			return nil, Person{}, fmt.Errorf("load approvals of version %d: %w", v.ID, err)
		}
		rows = append(slices.Clone(counting), newest...)
		slices.SortFunc(rows, func(a, b *db.VersionApproval) int { return a.ID - b.ID })
		rows = slices.CompactFunc(rows, func(a, b *db.VersionApproval) bool { return a.ID == b.ID })
	}
	who, last := []int{v.CreatedBy}, map[int]int{}
	for _, a := range rows {
		who, last[a.ApproverID] = append(who, a.ApproverID), a.ID
	}
	people, err := s.People(sys, who)
	if err != nil {
		return nil, Person{}, err
	}
	out := make([]Said, len(rows))
	for i, a := range rows {
		out[i] = Said{VersionApproval: a, By: people[a.ApproverID], Statement: a.Edges.Attestation.Digest, Counts: last[a.ApproverID] == a.ID}
	}
	return out, people[v.CreatedBy], nil
}
