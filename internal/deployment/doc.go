// Package deployment records where versions run.
//
// A rollout brings a version to an environment, and a cluster in it where there are several. Of the rollouts of an
// application to a place that succeeded, the one that ended last is live: it is what runs there. What was never released
// can be rolled out all the same, since a record that leaves out what must not be is worth nothing: it is recorded with
// what the version was worth at that moment.
//
// It writes deployments.
package deployment
