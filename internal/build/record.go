package build

import (
	"cmp"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// RecordSchema names the layout of records. A record once digested is never laid out anew.
const RecordSchema = "plimsoll.build/v1"

// record is what the digest of a build is of.
type record struct {
	Schema    string       `json:"schema"`
	Project   string       `json:"project,omitempty"`
	Name      string       `json:"name"`
	Number    string       `json:"number"`
	StartedAt string       `json:"startedAt,omitempty"`
	Source    recordSource `json:"source"`
	Artifacts []artifact   `json:"artifacts"`
}

type recordSource struct {
	Repository string `json:"repository"`
	Revision   string `json:"revision"`
	Branch     string `json:"branch,omitempty"`
}

// artifact is something that a build made; its purl is canonical, and empty when it is no package version.
type artifact struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	PURL   string `json:"purl,omitempty"`
}

// digest is the build's identity. The order in which artifacts were reported does not matter.
func (r report) digest(project string) (string, error) {
	out := record{
		Schema: RecordSchema, Project: project, Name: r.name, Number: r.number,
		Source: recordSource{r.repository, r.revision, r.branch}, Artifacts: slices.Clone(r.artifacts),
	}
	if r.startedAt != nil {
		out.StartedAt = r.startedAt.Format(time.RFC3339Nano)
	}
	slices.SortFunc(out.Artifacts, func(a, b artifact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.PURL, b.PURL))
	})
	b, err := canonical.JSON(out)
	if err != nil {
		return "", err
	}
	return canonical.Digest(b), nil
}
