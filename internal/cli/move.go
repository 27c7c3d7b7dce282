package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/plimsoll/plimsoll/internal/client"
)

const promoteUsage = `Moves a version to a stage if the gates let it: plimsoll promote --application KEY --version V --stage NAME [FLAGS]

Ends with 1 when a gate says no, and says what to do about it.

  --dry-run        ask the gates and record nothing
  --comment TEXT   why
`

const releaseUsage = `Releases a version if the gates let it: plimsoll release --application KEY --version V [FLAGS]

Ends with 1 when a gate says no, and says what to do about it.

  --dry-run        ask the gates and record nothing
  --comment TEXT   why
`

const moved = `promotion { status } applicationVersion { trust manifestDigest currentStage { name } }
    evaluations { evalId decision explanation gate { stage kind } results { rule { name } policy { name mode } outcome error
      violations { code subject message remediation } } }`

const promote = `mutation Promote($input: PromoteApplicationVersionInput!) {
  moved: promoteApplicationVersion(input: $input) { ` + moved + ` }
}`

const release = `mutation Release($input: ReleaseApplicationVersionInput!) {
  moved: releaseApplicationVersion(input: $input) { ` + moved + ` }
}`

// move is what became of an attempt to move a version.
type move struct {
	Promotion *struct {
		Status string `json:"status"`
	} `json:"promotion"`
	ApplicationVersion struct {
		Trust          string  `json:"trust"`
		ManifestDigest string  `json:"manifestDigest"`
		CurrentStage   *inside `json:"currentStage"`
	} `json:"applicationVersion"`
	Evaluations []evaluation `json:"evaluations"`
}

type inside struct {
	Name string `json:"name"`
}

// evaluation is what one gate said.
type evaluation struct {
	EvalID      *string `json:"evalId"`
	Decision    string  `json:"decision"`
	Explanation string  `json:"explanation"`
	Gate        struct {
		Stage string `json:"stage"`
		Kind  string `json:"kind"`
	} `json:"gate"`
	Results []struct {
		Rule   inside `json:"rule"`
		Policy struct {
			Name string `json:"name"`
			Mode string `json:"mode"`
		} `json:"policy"`
		Outcome    string  `json:"outcome"`
		Error      *string `json:"error"`
		Violations []struct {
			Code        string `json:"code"`
			Subject     string `json:"subject"`
			Message     string `json:"message"`
			Remediation string `json:"remediation"`
		} `json:"violations"`
	} `json:"results"`
}

func promoteVersion(ctx context.Context, env environment, args []string) error {
	return moveVersion(ctx, env, args, client.Operation{Name: "Promote", Document: promote}, promoteUsage, "stage")
}

func releaseVersion(ctx context.Context, env environment, args []string) error {
	return moveVersion(ctx, env, args, client.Operation{Name: "Release", Document: release}, releaseUsage)
}

// moveVersion sends an operation once, and prints what the gates said.
func moveVersion(ctx context.Context, env environment, args []string, op client.Operation, usage string, more ...string) error {
	var r remote
	var application, version, stage, comment string
	var dryRun bool
	fs := remoteFlags(env, strings.ToLower(op.Name), &r)
	fs.StringVar(&application, "application", "", "")
	fs.StringVar(&version, "version", "", "")
	fs.StringVar(&comment, "comment", "", "")
	fs.BoolVar(&dryRun, "dry-run", false, "")
	if len(more) > 0 {
		fs.StringVar(&stage, more[0], "", "")
	}
	if err := r.parseAlone(env, fs, usage, args, append(more, "application", "version")...); err != nil {
		return err
	}
	input := map[string]any{"applicationKey": application, "version": version, "dryRun": dryRun}
	if stage != "" {
		input["toStage"] = stage
	}
	if comment != "" {
		input["comment"] = comment
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	var out struct{ Moved move }
	op.Variables = map[string]any{"input": input}
	if err := server.Ask(ctx, op, &out); err != nil {
		return err
	}
	if r.output == "json" {
		err = writeJSON(env.stdout, out.Moved)
	} else {
		out.Moved.write(env.stdout, application+" "+version)
	}
	if err == nil && out.Moved.blocked() {
		return errGateNo
	}
	return err
}

// blocked tells whether a gate said no.
func (m move) blocked() bool {
	if m.Promotion != nil {
		return m.Promotion.Status == "BLOCKED"
	}
	for _, e := range m.Evaluations {
		if e.Decision == "FAIL" {
			return true
		}
	}
	return false
}

func (m move) write(w io.Writer, what string) {
	status := "DRY_RUN"
	if m.Promotion != nil {
		status = m.Promotion.Status
	}
	at := "no stage"
	if m.ApplicationVersion.CurrentStage != nil {
		at = m.ApplicationVersion.CurrentStage.Name
	}
	fmt.Fprintf(w, "%s %s, now in %s, %s\n", what, status, at, m.ApplicationVersion.Trust)
	for _, e := range m.Evaluations {
		fmt.Fprintf(w, "%s %s: %s: %s\n", e.Gate.Stage, e.Gate.Kind, e.Decision, e.Explanation)
		for _, r := range e.Results {
			if r.Error != nil {
				fmt.Fprintf(w, "  %s (%s): %s\n", r.Rule.Name, r.Policy.Mode, *r.Error)
			}
			for _, v := range r.Violations {
				fmt.Fprintf(w, "  %s (%s): %s %s: %s\n", r.Rule.Name, r.Policy.Mode, v.Code, v.Subject, v.Message)
				if v.Remediation != "" {
					fmt.Fprintf(w, "    %s\n", v.Remediation)
				}
			}
		}
	}
}
