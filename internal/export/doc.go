// Package export writes the activity log for the systems that watch: one JSON object a line, in the order of the log and
// without a gap, and at the end the signed checkpoint that covers what was written. A line is as activityLog shows the event
// (JSONL), or an event of the Open Cybersecurity Schema Framework (OCSF).
//
// It reads and writes nothing else. What an event of each type is in OCSF stands in one table, classes.
package export
