package version

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/catalog"
)

// MaxParts is how many parts a version may have.
const MaxParts = 10_000

// MaxRefs is how many builds, and how many versions, may be sources at once.
const MaxRefs = 100

// CreateApplicationVersionInput is a version to make.
type CreateApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	Tag            *string
	// Properties are keys and values for people and tools; at most 50, each key once.
	Properties []*PropertyInput
	// Draft makes a version that may gain sources and be renamed until it is locked.
	Draft bool
	// DryRun checks everything and keeps nothing.
	DryRun  bool
	Sources *VersionSourcesInput
	// Filters say which parts of the sources to take; nil takes all.
	Filters *SourceFiltersInput
}

// SourceFiltersInput says which parts of sources to take, by patterns in which "*" stands for any characters and "?" for
// one, held against a part's name and its purl. At most 100 each.
type SourceFiltersInput struct {
	// Include takes only what matches one of these; empty takes all.
	Include []string
	// Exclude leaves out of that what matches one of these.
	Exclude []string
}

// AddVersionSourcesInput are sources to add to a draft.
type AddVersionSourcesInput struct {
	ApplicationKey string
	Version        string
	Sources        *VersionSourcesInput
	Filters        *SourceFiltersInput
}

// UpdateApplicationVersionInput is what to change on a version; what is nil stays.
type UpdateApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	// NewVersion renames a draft.
	NewVersion *string
	Tag        *string
	Properties *PropertyChanges
}

// PropertyChanges are properties to set and keys to remove; at most 50 each.
type PropertyChanges struct {
	Set    []*PropertyInput
	Remove []string
}

// LockApplicationVersionInput names a draft to lock.
type LockApplicationVersionInput struct {
	ApplicationKey string
	Version        string
}

// DeleteDraftVersionInput names a draft to delete.
type DeleteDraftVersionInput struct {
	ApplicationKey string
	Version        string
}

// ArchiveApplicationVersionInput names a version to archive or to bring back.
type ArchiveApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	Archived       bool
}

// PropertyInput is a key of 1 to 255 characters and a value of at most 1,024.
type PropertyInput struct {
	Key   string
	Value string
}

// Property is a key and its value.
type Property struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ApplicationVersionRefInput is an application version by its names.
type ApplicationVersionRefInput struct {
	ApplicationKey string
	Version        string
}

// VersionSourcesInput is what a version consists of.
type VersionSourcesInput struct {
	Packages  []*PackageSourceInput
	Artifacts []*ArtifactSourceInput
	// Builds stand for everything that they made, Versions for everything that they contain; at most MaxRefs of each.
	Builds   []*build.BuildRefInput
	Versions []*ApplicationVersionRefInput
}

// PackageSourceInput is a package version as part of a version.
type PackageSourceInput struct {
	Purl   string
	Digest *string
}

// ArtifactSourceInput is an artifact as part of a version.
type ArtifactSourceInput struct {
	Name   string
	Digest string
}

// ApplicationVersionFilter says which versions to list. What is given must all hold; of the values in one list, one.
type ApplicationVersionFilter struct {
	// Text is what the version string begins with.
	Text            *string
	ApplicationKeys []string
	// ApplicationFilter is what must hold of its application.
	ApplicationFilter *catalog.ApplicationFilter
	Trust             []string
	Standing          []string
	Stages            []string
	Status            *string
	// Digest is that of the manifest or of something that the version contains.
	Digest *string
	// From is the first instant at which it may have been reported, To the one after the last.
	From, To *time.Time
	// Archived holds for versions that are archived alone, and its absence for those that are not.
	Archived bool
}
