package deployment

import "time"

// RecordDeploymentInput is a rollout to record.
type RecordDeploymentInput struct {
	// ID is that of a rollout that was recorded; nil for a new one.
	ID             *string
	ApplicationKey string
	Version        string
	Environment    string
	Cluster        *string
	Kind           string
	Status         string
	StartedAt      *time.Time
	FinishedAt     *time.Time
}

// DeploymentFilter says which rollouts to list. What is given must all hold.
type DeploymentFilter struct {
	ApplicationKeys []string
	Environments    []string
	Live            *bool
	Decisions       []string
}
