package version

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// MaxParts is how many parts a version may have.
const MaxParts = 10_000

// CreateApplicationVersionInput is a version to make.
type CreateApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	Tag            *string
	Sources        *VersionSourcesInput
}

// VersionSourcesInput is what a version consists of.
type VersionSourcesInput struct {
	Packages  []*PackageSourceInput
	Artifacts []*ArtifactSourceInput
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
	// Digest is that of the manifest or of something that the version contains.
	Digest *string
	// From is the first instant at which it may have been reported, To the one after the last.
	From, To *time.Time
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
