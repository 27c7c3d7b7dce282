package build

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// MaxArtifacts is how many artifacts a build may have made.
const MaxArtifacts = 1000

const (
	maxNumber     = 128
	maxRepository = 1024
	maxBranch     = 255
)

// report is a build as it will be kept: checked, purls in their canonical form, each artifact once.
type report struct {
	name, number                 string
	startedAt                    *time.Time
	repository, revision, branch string
	artifacts                    []artifact
}

// check holds the input to the limits.
func (in ReportBuildInput) check() (report, error) {
	r := report{name: in.Name, number: in.Number}
	err := check.First(check.Name("input.name", in.Name), check.Line("input.number", in.Number, 1, maxNumber))
	if err != nil {
		return report{}, err
	}
	if in.Source == nil {
		return report{}, fault.At("input.source", "a build was made from something: give repository and revision")
	}
	r.repository, r.revision = in.Source.Repository, in.Source.Revision
	if err := check.First(checkRepository(r.repository), checkRevision(r.revision)); err != nil {
		return report{}, err
	}
	if in.Source.Branch != nil {
		r.branch = *in.Source.Branch
		if err := check.Line("input.source.branch", r.branch, 0, maxBranch); err != nil {
			return report{}, err
		}
	}
	if in.StartedAt != nil {
		at := in.StartedAt.UTC().Truncate(time.Microsecond) // what both databases keep
		r.startedAt = &at
	}
	r.artifacts, err = checkArtifacts(in.Artifacts)
	return r, err
}

// scpLike is how git names a repository over SSH without a scheme: user@host:path.
var scpLike = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s]+$`)

func checkRepository(s string) error {
	const path = "input.source.repository"
	if err := check.Line(path, s, 1, maxRepository); err != nil {
		return err
	}
	if scpLike.MatchString(s) {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host+u.Path+u.Opaque == "" {
		return fault.At(path, "want the URI of a repository, such as https://git.example.org/team/app, or git@host:path")
	}
	if _, secret := u.User.Password(); secret {
		return fault.At(path, "the URI holds a password, which would be kept for ever; leave it out")
	}
	return nil
}

var commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func checkRevision(s string) error {
	if !commit.MatchString(s) {
		return fault.At("input.source.revision", "a revision is a commit: 40 or 64 lower-case hexadecimal digits; a branch or tag goes into branch")
	}
	return nil
}

func checkArtifacts(given []*BuildArtifactInput) ([]artifact, error) {
	const path = "input.artifacts"
	if len(given) == 0 {
		return nil, fault.At(path, "a build made something: name at least one artifact")
	}
	if err := check.List(path, len(given), MaxArtifacts); err != nil {
		return nil, err
	}
	var all []artifact
	seen := map[artifact]bool{}
	for i, in := range given {
		a, err := in.check(fmt.Sprintf("%s.%d", path, i))
		if err != nil {
			return nil, err
		}
		if !seen[a] {
			seen[a] = true
			all = append(all, a)
		}
	}
	return all, nil
}

func (in *BuildArtifactInput) check(path string) (artifact, error) {
	if err := check.First(check.Name(path+".name", in.Name), check.Digest(path+".digest", in.Digest)); err != nil {
		return artifact{}, err
	}
	a := artifact{Name: in.Name, Digest: in.Digest}
	if in.Purl == nil {
		return a, nil
	}
	p, err := purl.Parse(*in.Purl)
	if err != nil {
		return artifact{}, fault.At(path+".purl", "%v", err)
	}
	if !p.HasVersion() {
		return artifact{}, fault.At(path+".purl", "%q names no version: a build makes one version of a package", *in.Purl)
	}
	a.PURL = p.String()
	return a, nil
}
