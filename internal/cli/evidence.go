package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/push"
)

const pushUsage = `Pushes files as evidence: plimsoll evidence push [FLAGS] PATH...

A PATH is a file, or a folder whose files are pushed, without hidden files and links. DSSE envelopes, Sigstore bundles and
GitHub attestations are pushed as what they are; everything else is a document, and needs a subject: what it speaks of.
The same again changes nothing, so a job may be run twice.

  --subject WHAT                     repeat: sha256:…, file:PATH (its digest is taken), or a purl (pkg:…)
  --build NAME#NUMBER                repeat: a build
  --application KEY --version V      a version
  --sign-key REF                     sign documents: a PEM or cosign key file (COSIGN_PASSWORD), or hashivault://, awskms://
  --predicate-type URI               what kind of document it is, where that does not follow from the content
  --media-type TYPE                  of documents, where that does not follow from name and content
  --provider NAME                    the tool or partner it comes from
  --attach PATH                      repeat: a file that belongs to the evidence, which then is one file
  --dry-run                          do everything but send; needs no token
`

// pushEvidence pushes files as evidence.
func pushEvidence(ctx context.Context, env environment, args []string) error {
	var r remote
	var call push.Call
	var signKey string
	fs := remoteFlags(env, "evidence push", &r)
	fs.Var((*list)(&call.Subjects), "subject", "")
	fs.Var((*list)(&call.Builds), "build", "")
	fs.Var((*list)(&call.Attach), "attach", "")
	fs.StringVar(&call.Application, "application", "", "")
	fs.StringVar(&call.Version, "version", "", "")
	fs.StringVar(&call.PredicateType, "predicate-type", "", "")
	fs.StringVar(&call.MediaType, "media-type", "", "")
	fs.StringVar(&call.Provider, "provider", "", "")
	fs.StringVar(&signKey, "sign-key", "", "")
	fs.BoolVar(&call.DryRun, "dry-run", false, "")
	var err error
	if call.Paths, err = r.parse(env, fs, pushUsage, args); err != nil {
		return err
	}
	var server *client.Client
	if !call.DryRun {
		if server, err = r.client(); err != nil {
			return err
		}
	}
	if call.Key, err = openKey(ctx, env, signKey); err != nil {
		return err
	}
	call.Tell = teller(env.stdout, r.output)
	if !isTerminal(env.stdout) { // there, the lines are progress enough
		call.Progress = progress(env.stderr)
	}
	summary, err := push.Run(ctx, server, call)
	if total := summary.Accepted + summary.AlreadyKnown + summary.Refused + summary.Ready; total > 0 || err == nil {
		sumUp(env, r.output, summary)
	}
	if err == nil && summary.Refused > 0 {
		return errRefused
	}
	return err
}

// openKey opens the key to sign with; without a reference there is none.
func openKey(ctx context.Context, env environment, ref string) (*attest.Signer, error) {
	if ref == "" {
		return nil, nil
	}
	key, err := attest.OpenSigner(ctx, ref, []byte(env.getenv("COSIGN_PASSWORD")))
	if err != nil && !strings.Contains(ref, "://") {
		return nil, fmt.Errorf("%w: --sign-key: %w", errWrongCall, err)
	}
	return key, err
}

// teller writes a line for each piece of evidence.
func teller(w io.Writer, output string) func(push.Result) {
	if output == "json" {
		return func(result push.Result) { _ = writeJSON(w, result) } // a closed pipe ends the run elsewhere
	}
	return func(result push.Result) {
		name := result.Path
		if result.Index > 0 {
			name = fmt.Sprintf("%s (attestation %d)", name, result.Index+1)
		}
		status := strings.ReplaceAll(result.Status, "_", " ")
		if result.Status == push.Refused {
			fmt.Fprintf(w, "%-13s  %s  %s: %s\n", status, name, result.Code, result.Message)
			return
		}
		fmt.Fprintf(w, "%-13s  %s  %s  %s\n", status, name, result.Digest, result.PredicateType)
	}
}

// sumUp writes how it went: to the standard output, or beside it where that is for machines.
func sumUp(env environment, output string, s push.Summary) {
	w := env.stdout
	if output == "json" {
		w = env.stderr
	}
	if s.Ready > 0 {
		fmt.Fprintf(w, "%d would be pushed, %d refused\n", s.Ready, s.Refused)
		return
	}
	fmt.Fprintf(w, "%d accepted, %d already known, %d refused\n", s.Accepted, s.AlreadyKnown, s.Refused)
}

// progress shows how far many files have come: in place on a terminal, otherwise on a line every five seconds.
func progress(w io.Writer) func(done, total int) {
	const many, every = 20, 5 * time.Second
	terminal := isTerminal(w)
	last := time.Now()
	return func(done, total int) {
		switch {
		case total <= many:
		case terminal && done == total:
			fmt.Fprintf(w, "\r%d of %d files\n", done, total)
		case terminal:
			fmt.Fprintf(w, "\r%d of %d files", done, total)
		case time.Since(last) >= every:
			last = time.Now()
			fmt.Fprintf(w, "%d of %d files\n", done, total)
		}
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// errRefused ends a run in which something was refused: each was told already.
var errRefused = fmt.Errorf("%w: not everything was taken", errWrongCall)
