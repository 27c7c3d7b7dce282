package approval

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/versionapproval"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
)

// PredicateType is that of the statements that are signed for what people say of versions.
const PredicateType = "https://plimsoll.dev/attestations/approval/v1"

// maxComment is how long a comment may be, in characters.
const maxComment = 2000

// predicate is what is signed: what somebody says of the version whose manifest is the subject.
type predicate struct {
	Decision string `json:"decision"`
	// By is a pseudonym: a name could never be erased from what is signed.
	By      []string `json:"by"`
	Roles   []string `json:"roles"`
	What    string   `json:"what"`
	At      string   `json:"at"`
	Comment string   `json:"comment,omitempty"`
}

// word is what somebody says of a version, and as whom.
type word struct {
	version   *db.ApplicationVersion
	actor     auth.Principal
	pseudonym string
	decision  versionapproval.Decision
	comment   string
	roles     []string
	at        time.Time
}

// Approve records what a person says of a version: signed for, and bound to the digest of its manifest. The latest word of each
// person counts; the same word again is the one that is there.
func (s *Service) Approve(ctx context.Context, in ApproveApplicationVersionInput) (*db.VersionApproval, error) {
	w, err := s.word(ctx, in)
	if err != nil {
		return nil, err
	}
	statement, err := s.sign(ctx, w)
	if err != nil {
		return nil, err
	}
	row := 0
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		// Of two words of one person at once, the second waits for the first.
		if _, err := tx.Principal.Query().Where(principal.ID(w.actor.ID), oneByOne).Only(ctx); err != nil {
			return fmt.Errorf("take turns on approvals: %w", err)
		}
		if row, err = w.known(ctx, tx); err != nil || row != 0 {
			return err
		}
		if err := s.signing.Record(ctx, tx, w.version, nil, statement); err != nil {
			return err
		}
		kept, err := tx.Attestation.Query().Where(attestation.Digest(statement.Digest), attestation.VersionID(w.version.ID)).
			Order(db.Desc(attestation.FieldID)).FirstID(ctx)
		if err != nil {
			return fmt.Errorf("find the statement of an approval: %w", err)
		}
		made, err := tx.VersionApproval.Create().SetDecision(w.decision).SetComment(w.comment).SetRoles(w.roles).SetAt(w.at).
			SetVersionID(w.version.ID).SetProjectID(w.version.ProjectID).SetApproverID(w.actor.ID).SetAttestationID(kept).Save(ctx)
		if err != nil {
			return fmt.Errorf("write approval: %w", err)
		}
		row = made.ID
		return s.log.Append(ctx, tx, w.event(statement))
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().VersionApproval.Get(ctx, row)
}

// word checks the input, and who says it of what.
func (s *Service) word(ctx context.Context, in ApproveApplicationVersionInput) (*word, error) {
	w := &word{decision: versionapproval.DecisionREJECTED, at: s.now()}
	if in.Approve {
		w.decision = versionapproval.DecisionAPPROVED
	}
	if in.Comment != nil {
		w.comment = *in.Comment
	}
	err := check.First(check.Digest("input.manifestDigest", in.ManifestDigest), check.Text("input.comment", w.comment, 0, maxComment))
	if err != nil {
		return nil, err
	}
	v, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.Version(in.Version), applicationversion.HasApplicationWith(application.Key(in.ApplicationKey))).
		WithApplication().WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "there is no version %q of an application %q", in.Version, in.ApplicationKey)
	}
	if err != nil {
		return nil, fmt.Errorf("load version %s of %s: %w", in.Version, in.ApplicationKey, err)
	}
	w.version = v
	if w.actor, err = auth.Allow(ctx, "approveApplicationVersion", v.ProjectID); err != nil {
		return nil, err
	}
	if err := fits(v, in); err != nil {
		return nil, err
	}
	w.roles = rolesOn(w.actor, v.ProjectID)
	people, err := s.People(ctx, []int{w.actor.ID})
	if err != nil {
		return nil, err
	}
	who := people[w.actor.ID]
	if !who.Person {
		return nil, fault.New(fault.FailedPrecondition, "a version is approved by a person, and %q is a service account: what it found is evidence, which it can submit", w.actor.Name)
	}
	w.pseudonym = who.Pseudonym
	return w, nil
}

// fits refuses to speak of what is not the version.
func fits(v *db.ApplicationVersion, in ApproveApplicationVersionInput) error {
	if v.Status != applicationversion.StatusLOCKED {
		f := fault.New(fault.FailedPrecondition, "version %s of %s is a draft, whose contents may still change: lock it first", v.Version, in.ApplicationKey)
		f.Path = "input.version"
		return f
	}
	if v.ManifestDigest != in.ManifestDigest {
		f := fault.New(fault.Conflict, "the manifest of version %s of %s has the digest %s: look at that before you speak of it", v.Version, in.ApplicationKey, v.ManifestDigest).
			With("manifestDigest", v.ManifestDigest)
		f.Path = "input.manifestDigest"
		return f
	}
	return nil
}

// rolesOn are the roles that somebody holds on a project, sorted.
func rolesOn(p auth.Principal, project int) []string {
	roles := []string{}
	for _, g := range p.Grants {
		if g.Project == auth.Organisation || g.Project == project {
			roles = append(roles, string(g.Role))
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

func (s *Service) sign(ctx context.Context, w *word) (signing.Signed, error) {
	subjects, err := signing.VersionSubjects(w.version.Edges.Application.Key, w.version.Version, w.version.ManifestDigest, nil)
	if err != nil {
		return signing.Signed{}, err
	}
	return s.signing.Sign(ctx, subjects, PredicateType, predicate{
		Decision: string(w.decision), By: []string{w.pseudonym}, Roles: w.roles, What: w.name(),
		At: w.at.Format(time.RFC3339Nano), Comment: w.comment,
	})
}

func (w *word) name() string { return w.version.Edges.Application.Key + "@" + w.version.Version }

// known finds the same word, when it is the last one of this person about the version; 0 when it is not.
func (w *word) known(ctx context.Context, tx *db.Client) (int, error) {
	last, err := tx.VersionApproval.Query().Where(versionapproval.VersionID(w.version.ID), versionapproval.ApproverID(w.actor.ID)).
		Order(db.Desc(versionapproval.FieldID)).First(ctx)
	if db.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for the same approval: %w", err)
	}
	if last.Decision != w.decision || last.Comment != w.comment || !slices.Equal(last.Roles, w.roles) {
		return 0, nil
	}
	return last.ID, nil
}

func (w *word) event(statement signing.Signed) activity.Event {
	e := activity.Event{
		Type: activity.VersionApproved, Project: w.version.Edges.Project, Application: w.version.Edges.Application.Key, Subject: w.name(),
		Changes: []activity.Change{
			activity.Added("decision", activity.Text(string(w.decision))),
			activity.Added("manifestDigest", activity.Text(w.version.ManifestDigest)),
			activity.Added("roles", activity.Text(strings.Join(w.roles, ", "))),
		},
	}
	e.Summary = e.Subject + " was approved"
	if w.decision == versionapproval.DecisionREJECTED {
		e.Summary = e.Subject + " was not approved"
	}
	if w.comment != "" {
		e.Changes = append(e.Changes, activity.Added("comment", activity.Text(w.comment)))
	}
	e.Changes = append(e.Changes, signing.Changes([]signing.Signed{statement})...)
	return e
}

// oneByOne lets those who read a row so wait for each other. SQLite needs no lock: there, one transaction writes at a time.
func oneByOne(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}
