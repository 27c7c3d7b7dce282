package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
)

const deploymentUsage = `Records that a version was rolled out: plimsoll deployment record --application KEY --version V --environment NAME --kind KIND --status STATUS [FLAGS]

  --environment NAME   where, such as production
  --cluster NAME       where in it
  --kind KIND          RELEASE, HOTFIX, ROLLBACK, REDEPLOY or CONFIG
  --status STATUS      IN_PROGRESS, SUCCEEDED or FAILED
  --started INSTANT    when it began, such as 2026-01-31T12:00:00Z; with it, the same again is one rollout
  --finished INSTANT   when it ended; without it, one that ended did so now
  --id ID              a rollout that was recorded, to say how it ended
`

const recordDeployment = `mutation RecordDeployment($input: RecordDeploymentInput!) {
  recordDeployment(input: $input) { deployment { id environment cluster kind status decision live } }
}`

// recordedDeployment is what is printed of a rollout.
type recordedDeployment struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	Version     string `json:"version"`
	Environment string `json:"environment"`
	Cluster     string `json:"cluster"`
	Kind        string `json:"kind"`
	Status      string `json:"status"`
	Decision    string `json:"decision"`
	Live        bool   `json:"live"`
}

// tellDeployment sends recordDeployment. What names a rollout, by its id or its beginning, may be sent twice; anything
// else would be another rollout the second time.
func tellDeployment(ctx context.Context, env environment, args []string) error {
	var r remote
	fs := remoteFlags(env, "deployment record", &r)
	flags := []struct{ name, member string }{
		{"application", "applicationKey"},
		{"version", "version"},
		{"environment", "environment"},
		{"kind", "kind"},
		{"status", "status"},
		{"cluster", "cluster"},
		{"started", "startedAt"},
		{"finished", "finishedAt"},
		{"id", "id"},
	}
	values := make([]string, len(flags))
	for i, f := range flags {
		fs.StringVar(&values[i], f.name, "", "")
	}
	if err := r.parseAlone(env, fs, deploymentUsage, args, "application", "version", "environment", "kind", "status"); err != nil {
		return err
	}
	input := map[string]string{}
	for i, f := range flags {
		if values[i] != "" {
			input[f.member] = values[i]
		}
	}
	for _, name := range []string{"started", "finished"} {
		text := fs.Lookup(name).Value.String()
		if _, err := time.Parse(time.RFC3339, text); err != nil && text != "" {
			return fmt.Errorf("%w: --%s is an instant such as 2026-01-31T12:00:00Z, not %q", errWrongCall, name, text)
		}
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	var out struct {
		RecordDeployment struct{ Deployment recordedDeployment }
	}
	op := client.Operation{Name: "RecordDeployment", Document: recordDeployment, Variables: map[string]any{"input": input}}
	send := func() error { return server.Ask(ctx, op, &out) }
	if input["id"] != "" || input["startedAt"] != "" {
		err = client.Retry(ctx, pause, send)
	} else {
		err = send()
	}
	if err != nil {
		return fmt.Errorf("record deployment: %w", err)
	}
	d := out.RecordDeployment.Deployment
	d.Application, d.Version = input["applicationKey"], input["version"]
	if r.output == "json" {
		return writeJSON(env.stdout, d)
	}
	_, err = fmt.Fprintln(env.stdout, d.text())
	return err
}

// text is the rollout on one line, its id last.
func (d recordedDeployment) text() string {
	where, runs := d.Environment, ""
	if d.Cluster != "" {
		where += "/" + d.Cluster
	}
	if d.Live {
		runs = " live"
	}
	return fmt.Sprintf("%s %s %s on %s %s %s%s %s", d.Application, d.Version, d.Kind, where, d.Status, d.Decision, runs, d.ID)
}
