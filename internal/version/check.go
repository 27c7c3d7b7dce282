package version

import (
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// draft is a version to make as it will be kept, but for what its sources bring.
type draft struct {
	tag, properties string
	direct          []Part
	filter          filter
}

// check holds the input to the limits that can be told without looking anything up.
func (in CreateApplicationVersionInput) check() (draft, error) {
	var d draft
	if err := check.Text("input.version", in.Version, 1, check.MaxVersion); err != nil {
		return d, err
	}
	if in.Tag != nil {
		d.tag = *in.Tag
		if err := check.Text("input.tag", d.tag, 0, check.MaxTag); err != nil {
			return d, err
		}
	}
	values, err := checkProperties("input.properties", in.Properties)
	if err != nil {
		return d, err
	}
	if d.properties, err = properties(values); err != nil {
		return d, err
	}
	if d.direct, err = in.Sources.check(); err != nil {
		return d, err
	}
	d.filter, err = in.Filters.compile()
	return d, err
}

// check returns the parts that the sources name themselves.
func (in *VersionSourcesInput) check() ([]Part, error) {
	const path = "input.sources"
	if in == nil || len(in.Packages)+len(in.Artifacts)+len(in.Builds)+len(in.Versions) == 0 {
		return nil, fault.At(path, "a version needs at least one source: name packages, artifacts, builds or versions")
	}
	if n := len(in.Packages) + len(in.Artifacts); n > MaxParts {
		return nil, fault.At(path, "at most %d parts, got %d", MaxParts, n)
	}
	err := check.First(check.List(path+".builds", len(in.Builds), MaxRefs), check.List(path+".versions", len(in.Versions), MaxRefs))
	if err != nil {
		return nil, err
	}
	var parts []Part
	for i, p := range in.Packages {
		part, err := p.part(fmt.Sprintf("%s.packages.%d", path, i))
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	for i, a := range in.Artifacts {
		at := fmt.Sprintf("%s.artifacts.%d", path, i)
		if err := check.Name(at+".name", a.Name); err != nil {
			return nil, err
		}
		if !canonical.IsDigest(a.Digest) {
			return nil, notADigest(at+".digest", a.Digest)
		}
		parts = append(parts, Part{Kind: releasable.KindARTIFACT, Name: a.Name, Digest: a.Digest})
	}
	return parts, nil
}

func (p *PackageSourceInput) part(path string) (Part, error) {
	parsed, err := purl.Parse(p.Purl)
	if err != nil {
		return Part{}, fault.At(path+".purl", "%v", err)
	}
	if parsed.Version == "" {
		return Part{}, fault.At(path+".purl", "%q names no version: a version of an application consists of versions of packages", p.Purl)
	}
	part := Part{Kind: releasable.KindPACKAGE, Name: parsed.Name, PURL: parsed.String()}
	if p.Digest != nil {
		if !canonical.IsDigest(*p.Digest) {
			return Part{}, notADigest(path+".digest", *p.Digest)
		}
		part.Digest = *p.Digest
	}
	return part, nil
}

func notADigest(path, got string) error {
	return fault.At(path, "want \"sha256:\" and 64 lower-case hexadecimal digits, got %d characters", len(got))
}
