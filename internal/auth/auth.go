// Package auth says who is asking and what they may do. The principal travels in the context; one table (table.go) says
// who may send which field of the API; one scope says which projects' records exist for whom.
package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Role is a right, held on the organisation or on one project.
type Role string

// The roles. Every role reads what is in its reach; what else it may do stands in the table.
const (
	Viewer            Role = "VIEWER"
	Contributor       Role = "CONTRIBUTOR"
	EvidencePusher    Role = "EVIDENCE_PUSHER"
	Releaser          Role = "RELEASER"
	PolicyManager     Role = "POLICY_MANAGER"
	WaiverApprover    Role = "WAIVER_APPROVER"
	Auditor           Role = "AUDITOR"
	ProjectAdmin      Role = "PROJECT_ADMIN"
	OrganisationAdmin Role = "ORGANISATION_ADMIN"
)

// MarshalGQL writes the role as the API's enum.
func (r Role) MarshalGQL(w io.Writer) { fmt.Fprintf(w, "%q", string(r)) }

// UnmarshalGQL reads the API's enum, whose values the schema has checked.
func (r *Role) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("want the name of a role")
	}
	*r = Role(s)
	return nil
}

// Organisation stands in a Grant for the whole organisation rather than one project.
const Organisation = 0

// Grant is a role and where it is held: the row number of a project, or Organisation.
type Grant struct {
	Role    Role
	Project int
}

// Principal is whoever acts: a person or a service account, with the grants they came in with.
type Principal struct {
	ID   int
	Name string
	// Person is false for a service account, and for whoever did not come in with a token.
	Person bool
	Grants []Grant
	// EvidenceTypes limits which predicate types this principal may push; empty means any.
	EvidenceTypes []string

	system bool
}

type principalKey struct{}

// With returns a context in which p acts.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who acts, or an UNAUTHENTICATED fault when nobody does.
func From(ctx context.Context) (Principal, error) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	if !ok {
		return Principal{}, fault.New(fault.Unauthenticated, "send a token: Authorization: Bearer <token>")
	}
	return p, nil
}

// System returns a context in which the service itself reads: it sees every record. It is for decisions that must not
// depend on who triggers them, such as which policies guard a gate; nothing read so is shown without another look.
func System(ctx context.Context) context.Context {
	p, _ := ctx.Value(principalKey{}).(Principal)
	p.system = true
	return With(ctx, p)
}

// Reach is the set of projects whose records exist for a principal.
type Reach struct {
	// All is true for whoever holds a role on the organisation.
	All      bool
	Projects []int
}

// ReachOf returns what exists for whoever acts in ctx. Nobody sees nothing.
func ReachOf(ctx context.Context) Reach {
	p, ok := ctx.Value(principalKey{}).(Principal)
	if !ok {
		return Reach{}
	}
	if p.system {
		return Reach{All: true}
	}
	var r Reach
	for _, g := range p.Grants {
		if g.Project == Organisation {
			return Reach{All: true}
		}
		if !slices.Contains(r.Projects, g.Project) {
			r.Projects = append(r.Projects, g.Project)
		}
	}
	return r
}

// Holds tells whether p holds one of the roles on the project, or on the organisation.
func (p Principal) Holds(project int, roles ...Role) bool {
	for _, g := range p.Grants {
		if (g.Project == Organisation || g.Project == project) && slices.Contains(roles, g.Role) {
			return true
		}
	}
	return false
}
