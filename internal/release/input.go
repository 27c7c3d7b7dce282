package release

import "github.com/plimsoll/plimsoll/internal/check"

// PromoteApplicationVersionInput is a version and the stage to move it into.
type PromoteApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	ToStage        string
	DryRun         bool
	Comment        *string
}

// ReleaseApplicationVersionInput is a version to release.
type ReleaseApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	DryRun         bool
	Comment        *string
}

// RollbackApplicationVersionInput is a promotion to take back.
type RollbackApplicationVersionInput struct {
	ApplicationKey string
	Version        string
	FromStage      string
	Reason         string
}

func checkComment(comment *string) (string, error) {
	if comment == nil {
		return "", nil
	}
	return *comment, check.Text("input.comment", *comment, 0, 2000)
}
