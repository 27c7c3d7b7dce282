package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/client"
)

const buildUsage = `Reports a build and what it made: plimsoll build report --name NAME --number NUMBER [FLAGS]

  --repository URI       what it was built from
  --revision COMMIT      the commit: 40 or 64 hexadecimal digits
  --branch NAME          the branch or tag
  --project KEY          the project it belongs to, where the token is good for several
  --artifact NAME=WHAT   repeat: what it made; WHAT is sha256:… or file:PATH, whose digest is taken
`

const reportBuild = `mutation ReportBuild($input: ReportBuildInput!) {
  reportBuild(input: $input) { alreadyKnown build { name number } }
}`

// reportedBuild is what is printed of a build.
type reportedBuild struct {
	Name         string `json:"name"`
	Number       string `json:"number"`
	AlreadyKnown bool   `json:"alreadyKnown"`
}

// tellBuild sends reportBuild. The same again is the same build, so it may be sent twice.
func tellBuild(ctx context.Context, env environment, args []string) error {
	var r remote
	var name, number, repository, revision, branch, project string
	var artifacts list
	fs := remoteFlags(env, "build report", &r)
	fs.StringVar(&name, "name", "", "")
	fs.StringVar(&number, "number", "", "")
	fs.StringVar(&repository, "repository", "", "")
	fs.StringVar(&revision, "revision", "", "")
	fs.StringVar(&branch, "branch", "", "")
	fs.StringVar(&project, "project", "", "")
	fs.Var(&artifacts, "artifact", "")
	if err := r.parseAlone(env, fs, buildUsage, args, "name", "number", "repository", "revision", "artifact"); err != nil {
		return err
	}
	made, err := each(artifacts, artifact)
	if err != nil {
		return err
	}
	source := map[string]any{"repository": repository, "revision": revision}
	if branch != "" {
		source["branch"] = branch
	}
	input := map[string]any{"name": name, "number": number, "source": source, "artifacts": made}
	if project != "" {
		input["projectKey"] = project
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	var out struct{ ReportBuild reportedAnswer }
	op := client.Operation{Name: "ReportBuild", Document: reportBuild, Variables: map[string]any{"input": input}}
	if err := client.Retry(ctx, pause, func() error { return server.Ask(ctx, op, &out) }); err != nil {
		return fmt.Errorf("report build: %w", err)
	}
	b := reportedBuild{out.ReportBuild.Build.Name, out.ReportBuild.Build.Number, out.ReportBuild.AlreadyKnown}
	if r.output == "json" {
		return writeJSON(env.stdout, b)
	}
	said := "reported"
	if b.AlreadyKnown {
		said = "already known"
	}
	_, err = fmt.Fprintf(env.stdout, "build %s #%s %s\n", b.Name, b.Number, said)
	return err
}

// reportedAnswer is the payload of reportBuild.
type reportedAnswer struct {
	AlreadyKnown bool
	Build        struct{ Name, Number string }
}
