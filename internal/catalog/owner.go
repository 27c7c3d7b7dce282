package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

const (
	userPrefix, teamPrefix = "user:", "team:"
	// personPrefix begins the pseudonym of a person, which is the reference of one whose name was erased.
	personPrefix = "person:"
	maxOwnerName = 200
	maxOwners    = 50
)

// OwnerChanges are owners to add and to remove, by reference. Adding who is there and removing who is not there change
// nothing.
type OwnerChanges struct {
	Add    []string
	Remove []string
}

// OwnerRef returns the canonical form of an owner's reference, lower case throughout: directories and mail systems do not
// tell case apart, and one person must not answer under two names. It refuses what is not "user:" or "team:" and 1 to 200
// of letters, digits and "._@+-", beginning with a letter or digit.
func OwnerRef(path, ref string) (string, error) {
	canonical := strings.ToLower(ref)
	name, isUser := strings.CutPrefix(canonical, userPrefix)
	if !isUser {
		var isTeam bool
		if name, isTeam = strings.CutPrefix(canonical, teamPrefix); !isTeam {
			return "", badOwner(path)
		}
	}
	// Of what is not ASCII, some becomes ASCII in lower case: the reference as it was given must be all ASCII.
	ok := name != "" && len(name) <= maxOwnerName && len(canonical) == len(ref) && alphanumeric(name[0])
	for i := 0; ok && i < len(name); i++ {
		ok = alphanumeric(name[i]) || strings.IndexByte("._@+-", name[i]) >= 0
	}
	if !ok {
		return "", badOwner(path)
	}
	return canonical, nil
}

func badOwner(path string) error {
	return fault.At(path, "an owner is user: or team: and 1 to %d letters, digits, dots, dashes, underscores, @ or +, such as \"team:payments\"; give one", maxOwnerName)
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// knownOwnerRef returns the canonical form of the reference of somebody who may own something already: as OwnerRef does, or
// the pseudonym of a person who was erased.
func knownOwnerRef(path, ref string) (string, error) {
	if name, ok := strings.CutPrefix(ref, personPrefix); ok && name != "" && strings.Trim(name, "0123456789abcdef") == "" {
		return ref, nil
	}
	return OwnerRef(path, ref)
}

// ownerRefs returns the canonical forms of references, each once.
func ownerRefs(path string, refs []string, form func(path, ref string) (string, error)) ([]string, error) {
	if err := check.List(path, len(refs), maxOwners); err != nil {
		return nil, err
	}
	var out []string
	for i, ref := range refs {
		canonical, err := form(fmt.Sprintf("%s.%d", path, i), ref)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, canonical) {
			out = append(out, canonical)
		}
	}
	return out, nil
}

// ownerValue is an owner as an event says it: a person's name stands there so that it can be erased.
func ownerValue(ref string) *activity.Value {
	if strings.HasPrefix(ref, userPrefix) {
		return activity.Person(ref)
	}
	return activity.Text(ref)
}

// ensureOwners returns the rows of owners in the order of their references, made on first use.
func (s *Service) ensureOwners(ctx context.Context, tx *db.Client, refs []string) ([]*db.Owner, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	creates := make([]*db.OwnerCreate, len(refs))
	// Sorted, so that transactions that make the same owners do not wait for each other in a circle.
	for i, ref := range slices.Sorted(slices.Values(refs)) {
		pseudonym := ref
		if strings.HasPrefix(ref, userPrefix) {
			pseudonym = personPrefix + id.Random(8)
		}
		creates[i] = tx.Owner.Create().SetRef(ref).SetPseudonym(pseudonym).SetCreatedAt(s.now())
	}
	if err := tx.Owner.CreateBulk(creates...).OnConflict(sql.DoNothing()).Exec(ctx); err != nil {
		return nil, fmt.Errorf("write owners: %w", err)
	}
	// An owner without an application is in nobody's reach.
	rows, err := tx.Owner.Query().Where(owner.RefIn(refs...)).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load owners: %w", err)
	}
	byRef := map[string]*db.Owner{}
	for _, o := range rows {
		byRef[o.Ref] = o
	}
	owners := make([]*db.Owner, len(refs))
	for i, ref := range refs {
		if owners[i] = byRef[ref]; owners[i] == nil {
			return nil, errRaced // its pseudonym was taken: another draw
		}
	}
	return owners, nil
}

// assign begins ownerships at an instant; their owners do not own the application then.
func (s *Service) assign(ctx context.Context, tx *db.Client, applicationID, by int, refs []string, at time.Time) error {
	owners, err := s.ensureOwners(ctx, tx, refs)
	if err != nil {
		return err
	}
	rows := make([]*db.OwnershipCreate, len(owners))
	for i, o := range owners {
		rows[i] = tx.Ownership.Create().SetApplicationID(applicationID).SetOwnerID(o.ID).SetSince(at).SetAssignedBy(by)
	}
	if err := tx.Ownership.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write ownerships: %w", err)
	}
	return nil
}

// OwnersOf returns who owns each of the applications now, in the order in which they became owners.
func (s *Service) OwnersOf(ctx context.Context, applicationIDs []int) (map[int][]*db.Owner, error) {
	rows, err := openOwnerships(ctx, s.store.Read(), applicationIDs)
	if err != nil {
		return nil, err
	}
	owners := map[int][]*db.Owner{}
	for _, o := range rows {
		owners[o.ApplicationID] = append(owners[o.ApplicationID], o.Edges.Owner)
	}
	return owners, nil
}

func openOwnerships(ctx context.Context, tx *db.Client, applicationIDs []int) ([]*db.Ownership, error) {
	rows, err := tx.Ownership.Query().
		Where(ownership.ApplicationIDIn(applicationIDs...), ownership.UntilIsNil()).
		Order(ownership.ByID()).WithOwner().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load owners of applications: %w", err)
	}
	return rows, nil
}
