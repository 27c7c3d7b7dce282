package catalog

import "github.com/plimsoll/plimsoll/ent/db"

// ArchiveApplicationInput names an application to archive or to bring back.
type ArchiveApplicationInput struct {
	Key      string
	Archived bool
}

// ImportOwnersInput is a file that says who owns what.
type ImportOwnersInput struct {
	// Format is "CODEOWNERS" or "BACKSTAGE".
	Format string
	// Content is the text; at most MaxOwnersFile bytes.
	Content string
	// ProjectKey limits it to one project's applications.
	ProjectKey *string
	// DryRun says what would change, and changes nothing.
	DryRun bool
}

// ImportOwnersPayload is what an import of owners did, or would do.
type ImportOwnersPayload struct {
	// Changes are the applications whose owners changed, by key.
	Changes []*OwnersChange
	// Unchanged counts the applications it speaks of whose owners were so already.
	Unchanged int
	// Unmatched are keys or patterns that are no application for whoever imports.
	Unmatched []string
}

// OwnersChange says how the owners of one application changed.
type OwnersChange struct {
	Application    *db.Application
	Added, Removed []string
}
