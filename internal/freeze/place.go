package freeze

import "github.com/plimsoll/plimsoll/ent/db"

// Scope is what a freeze is of.
type Scope string

// The scopes of freezes.
const (
	Organisation Scope = "ORGANISATION"
	Project      Scope = "PROJECT"
	Application  Scope = "APPLICATION"
	Label        Scope = "LABEL"
)

// ScopeOf says what a freeze is of.
func ScopeOf(f *db.Freeze) Scope {
	switch {
	case f.ApplicationID != nil:
		return Application
	case f.ProjectID != nil:
		return Project
	case f.LabelKey != "":
		return Label
	}
	return Organisation
}
