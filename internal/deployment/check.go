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
	if err := check.First(past("input.startedAt", in.StartedAt, now), past("input.finishedAt", in.FinishedAt, now)); err != nil {
		return err
	}
	if in.FinishedAt != nil && deployment.Status(in.Status) == deployment.StatusIN_PROGRESS {
		return fault.At("input.finishedAt", "a rollout under way has no end yet: leave it out, or say how it ended")
	}
	return in.endsAfter(in.StartedAt)
}

func past(path string, t *time.Time, now time.Time) error {
	if t != nil && t.After(now.Add(ahead)) {
		return fault.At(path, "lies in the future: the clock here says %s", now.Format(time.RFC3339))
	}
	return nil
}

// endsAfter refuses an end before the beginning, which a report of the end need not repeat.
func (in RecordDeploymentInput) endsAfter(started *time.Time) error {
	if started != nil && in.FinishedAt != nil && in.FinishedAt.Before(*started) {
		return fault.At("input.finishedAt", "a rollout that began at %s cannot have ended before", started.Format(time.RFC3339Nano))
	}
	return nil
}

func (in RecordDeploymentInput) cluster() string {
	if in.Cluster == nil {
		return ""
	}
	return *in.Cluster
}

// finished is when the rollout ended: now, when it ended and nobody said when; and no earlier than it began by a clock that
// is before ours.
func (in RecordDeploymentInput) finished(started *time.Time, now time.Time) *time.Time {
	switch {
	case in.FinishedAt != nil || deployment.Status(in.Status) == deployment.StatusIN_PROGRESS:
		return in.FinishedAt
	case started != nil && started.After(now):
		return started
	default:
		return &now
	}
}

// stored is an instant as databases keep it, so that the same one again is the same.
func stored(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	kept := t.UTC().Truncate(time.Microsecond)
	return &kept
}
