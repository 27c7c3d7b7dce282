package build

import "time"

// ReportBuildInput is a build to report.
type ReportBuildInput struct {
	// Name is 1 to 255 characters, Number 1 to 128; together they are unique in the project.
	Name   string
	Number string
	// ProjectKey is the project it belongs to. Nil is the organisation, or the one project that the reporter may report to.
	ProjectKey *string
	StartedAt  *time.Time
	Source     *BuildSourceInput
	// Artifacts are what it made: 1 to MaxArtifacts.
	Artifacts []*BuildArtifactInput
}

// BuildSourceInput is what a build was made from.
type BuildSourceInput struct {
	// Repository is a URI of 1 to 1,024 characters.
	Repository string
	// Revision is a commit: 40 or 64 lower-case hexadecimal digits.
	Revision string
	// Branch is a branch or tag of at most 255 characters.
	Branch *string
}

// BuildArtifactInput is something that a build made.
type BuildArtifactInput struct {
	// Name is 1 to 255 characters.
	Name   string
	Digest string
	// Purl names the package version that it is; nil when it is none.
	Purl *string
}

// BuildFilter says which builds to list. What is given must all hold.
type BuildFilter struct {
	Name        *string
	Revision    *string
	Artifact    *string
	ProjectKeys []string
}

// BuildRefInput is a build by its names.
type BuildRefInput struct {
	Name   string
	Number string
}
