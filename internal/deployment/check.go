package deployment

import (
	"time"

	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// ahead is how far a reporter's clock may be before ours.
const ahead = 5 * time.Minute

// check holds the input to the limits. What is left out of it is said by the enums of the API.
func (in RecordDeploymentInput) check(now time.Time) error {
	if err := check.Line("input.environment", in.Environment, 1, check.MaxName); err != nil {
		return err
	}
	if err := check.Line("input.cluster", in.cluster(), 0, check.MaxName); err != nil {
		return err
	}
	if err := deployment.KindValidator(deployment.Kind(in.Kind)); err != nil {
		return fault.At("input.kind", "there is no kind %q", in.Kind)
	}
	if err := deployment.StatusValidator(deployment.Status(in.Status)); err != nil {
		return fault.At("input.status", "there is no status %q", in.Status)
	}
	for path, t := range map[string]*time.Time{"input.startedAt": in.StartedAt, "input.finishedAt": in.FinishedAt} {
		if t != nil && t.After(now.Add(ahead)) {
			return fault.At(path, "lies in the future")
		}
	}
	if in.FinishedAt != nil && deployment.Status(in.Status) == deployment.StatusIN_PROGRESS {
		return fault.At("input.finishedAt", "a rollout under way has no end yet")
	}
	if in.StartedAt != nil && in.FinishedAt != nil && in.FinishedAt.Before(*in.StartedAt) {
		return fault.At("input.finishedAt", "must not be before startedAt")
	}
	return nil
}

func (in RecordDeploymentInput) cluster() string {
	if in.Cluster == nil {
		return ""
	}
	return *in.Cluster
}

// finished is when the rollout ended: now, when it ended and nobody said when.
func (in RecordDeploymentInput) finished(now time.Time) *time.Time {
	if in.FinishedAt == nil && deployment.Status(in.Status) != deployment.StatusIN_PROGRESS {
		return &now
	}
	return in.FinishedAt
}
