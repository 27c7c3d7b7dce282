package version

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
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

// check holds the input to the limits and returns its parts, sorted and without repetition, and the parsed purls.
func (in CreateApplicationVersionInput) check() ([]Part, map[string]purl.PURL, error) {
	if err := check.Text("input.version", in.Version, 1, 128); err != nil {
		return nil, nil, err
	}
	if in.Tag != nil {
		if err := check.Text("input.tag", *in.Tag, 0, 128); err != nil {
			return nil, nil, err
		}
	}
	if in.Sources == nil {
		return nil, nil, fault.At("input.sources", "a version needs at least one source")
	}
	n := len(in.Sources.Packages) + len(in.Sources.Artifacts)
	if n == 0 {
		return nil, nil, fault.At("input.sources", "a version needs at least one source: name packages or artifacts")
	}
	if n > MaxParts {
		return nil, nil, fault.At("input.sources", "at most %d parts, got %d", MaxParts, n)
	}
	var parts []Part
	purls := map[string]purl.PURL{}
	for i, p := range in.Sources.Packages {
		part, parsed, err := p.part(fmt.Sprintf("input.sources.packages.%d", i))
		if err != nil {
			return nil, nil, err
		}
		purls[part.PURL] = parsed
		parts = append(parts, part)
	}
	for i, a := range in.Sources.Artifacts {
		path := fmt.Sprintf("input.sources.artifacts.%d", i)
		if err := check.Name(path+".name", a.Name); err != nil {
			return nil, nil, err
		}
		if !canonical.IsDigest(a.Digest) {
			return nil, nil, notADigest(path+".digest", a.Digest)
		}
		parts = append(parts, Part{Kind: releasable.KindARTIFACT, Name: a.Name, Digest: a.Digest})
	}
	return sorted(parts), purls, nil
}

func (p *PackageSourceInput) part(path string) (Part, purl.PURL, error) {
	parsed, err := purl.Parse(p.Purl)
	if err != nil {
		return Part{}, purl.PURL{}, fault.At(path+".purl", "%v", err)
	}
	if parsed.Version == "" {
		return Part{}, purl.PURL{}, fault.At(path+".purl", "%q names no version: a version of an application consists of versions of packages", p.Purl)
	}
	part := Part{Kind: releasable.KindPACKAGE, Name: parsed.Name, PURL: parsed.String()}
	if p.Digest != nil {
		if !canonical.IsDigest(*p.Digest) {
			return Part{}, purl.PURL{}, notADigest(path+".digest", *p.Digest)
		}
		part.Digest = *p.Digest
	}
	return part, parsed, nil
}

func notADigest(path, got string) error {
	return fault.At(path, "want \"sha256:\" and 64 lower-case hexadecimal digits, got %d characters", len(got))
}
