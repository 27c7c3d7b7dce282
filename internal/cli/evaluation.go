package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/replay"
)

const exportUsage = `Writes everything that a recorded decision was made from: plimsoll evaluation export EVAL_ID [FLAGS]

The folder holds a program, verify.sh, that makes the decision again with stock opa, jq and sha256sum, and says what was altered.

  --output DIR|FILE.zip  where to; without it, a folder called like the decision. What is there is never written over
`

// exportRemote is the end of its help: --output is something else here than with other commands.
const exportRemote = `
  --url URL        (PLIMSOLL_URL)    the server
  --token TOKEN    (PLIMSOLL_TOKEN)  who asks; prefer the environment, where other users do not see it
`

const readEvaluation = `query Evaluation($evalId: String!) {
  evaluation(evalId: $evalId) { evalId decision explanation evaluatedAt gate { stage kind }
    inputDigest input capabilitiesDigest capabilities feeds { name format digest changedAt checkedAt }
    waivers { waiver policy rule code subject vulnerabilities package expiresAt }
    policies { name revision mode because }
    results { policy { name } outcome error result violations { waiver { id } }
      rule { name template templateRevision templateDigest rego parameters query } } }
}`

// exportEvaluation writes a decision into a folder or a zip file.
func exportEvaluation(ctx context.Context, env environment, args []string) error {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		if _, err := io.WriteString(env.stdout, exportUsage+exportRemote); err != nil {
			return err
		}
		return flag.ErrHelp
	}
	r := remote{output: "text"}
	var to string
	fs := flag.NewFlagSet("plimsoll evaluation export", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&r.url, "url", env.getenv("PLIMSOLL_URL"), "")
	fs.StringVar(&r.token, "token", env.getenv("PLIMSOLL_TOKEN"), "")
	fs.StringVar(&to, "output", "", "")
	words, err := r.parse(env, fs, exportUsage, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] == "" || strings.ContainsAny(words[0], "/\\.") {
		return fmt.Errorf("%w: give the name of one decision, such as eval-release-1a2b3c4d5e6f7081", errWrongCall)
	}
	if to == "" {
		to = words[0]
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	var out struct{ Evaluation *replay.Decision }
	op := client.Operation{Name: "Evaluation", Document: readEvaluation, Variables: map[string]any{"evalId": words[0]}}
	if err := client.Retry(ctx, pause, func() error { return server.Ask(ctx, op, &out) }); err != nil {
		return fmt.Errorf("read the decision: %w", err)
	}
	if out.Evaluation == nil {
		return fmt.Errorf("%w: there is no decision %q for you", errWrongCall, words[0])
	}
	files, err := out.Evaluation.Files()
	if err != nil {
		return err
	}
	if err := writeFiles(files, to); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%s: %s, %d rules; run verify.sh in it\n", to, out.Evaluation.Decision, len(out.Evaluation.Results))
	return err
}
