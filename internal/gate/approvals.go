package gate

import (
	"github.com/plimsoll/plimsoll/internal/approval"
)

// approvalPart is what somebody said of the version, in the input.
type approvalPart struct {
	// By is a pseudonym.
	By        string   `json:"by"`
	Roles     []string `json:"roles"`
	Owner     bool     `json:"owner"`
	OwnerRefs []string `json:"owner_refs"`
	Decision  string   `json:"decision"`
	At        string   `json:"at"`
	Statement string   `json:"statement"`
	Counts    bool     `json:"counts"`
}

// approvalParts are the oldest first.
func (sub *subject) approvalParts() []approvalPart {
	parts := make([]approvalPart, len(sub.approvals))
	for i, a := range sub.approvals {
		parts[i] = approvalPart{
			By: a.By.Pseudonym, Roles: append([]string{}, a.Roles...), OwnerRefs: sub.ownerRefs(a.By),
			Decision: string(a.Decision), At: instant(a.At), Statement: a.Statement, Counts: a.Counts,
		}
		parts[i].Owner = len(parts[i].OwnerRefs) > 0
	}
	return parts
}

// ownerRefs are the pseudonyms of those owners of the application that somebody is.
func (sub *subject) ownerRefs(who approval.Person) []string {
	refs := []string{}
	for _, o := range sub.owners {
		if o.ID == who.OwnerID {
			refs = append(refs, o.Pseudonym)
		}
	}
	return refs
}
