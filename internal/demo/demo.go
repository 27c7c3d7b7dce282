// Package demo tells the story of a payments gateway, from a CI build to a signed trusted release, on a running server.
// It knows that server as any client does: a URL, a token, and the operations of the public contract.
//
// The documents it sends are real: bills of materials of public projects, statements signed with keys made for the run.
// Every answer is checked against what the story expects, so that the demonstration is a test of the server, too.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/client"
)

// Options say where the story takes place and how it is shown.
type Options struct {
	// URL is where the server is, without a path; Token is an organisation admin's.
	URL, Token string
	// Place tells in a few words which server this is.
	Place string
	// Run is appended to every name that must be unique on the server. Empty on a server that is new.
	Run string
	// Dir is an existing folder for the files that prove the release.
	Dir string
	// Tools is a folder with cosign and slsa-verifier, looked at before the PATH; may be empty.
	Tools string
	// Out takes the story. Color uses terminal colours; Verbose shows every document and answer in full.
	Out            io.Writer
	Color, Verbose bool
}

// Result is how the story ended.
type Result struct {
	// Application and Version name what was released; ManifestDigest is what it is known by.
	Application, Version, ManifestDigest string
	// Trust and Standing are the API's words.
	Trust, Standing string
	// Components, Evidence and Events count what the version consists of, what was said about it, and what happened in
	// its project.
	Components, Evidence, Events int
	// Tools tells what each stock tool said that was found, by its name.
	Tools map[string]string
	// Elapsed is how long it took.
	Elapsed time.Duration
}

// story is one telling.
type story struct {
	options   Options
	page      *page
	server    *client.Client
	documents documents
	tokens    map[string]string         // of whoever acts, by their name in the story
	keys      map[string]*attest.Signer // of whoever signs, by their name in the story
	result    Result

	digests map[string]string // of the parts, by their name
	sent    string            // the operation that was sent last
	answer  []byte            // and its answer
}

// The people and machines of the story.
const (
	admin     = "admin"
	ci        = "ci"
	qa        = "qa"
	releaser  = "releaser"
	ciBuilder = "ci-builder"
	qaLab     = "qa-lab"
	laptop    = "laptop"
)

// Run tells the story. It fails on the first answer that is not the one expected, naming the step and the answer.
func Run(ctx context.Context, options Options) (Result, error) {
	start := time.Now()
	docs, err := readDocuments()
	if err != nil {
		return Result{}, err
	}
	server, err := client.New(options.URL, options.Token)
	if err != nil {
		return Result{}, err
	}
	s := &story{
		options:   options,
		page:      newPage(options.Out, options.Color, options.Verbose),
		server:    server,
		documents: docs,
		tokens:    map[string]string{admin: options.Token},
		digests:   map[string]string{},
	}
	if s.keys, err = makeKeys(); err != nil {
		return Result{}, err
	}
	s.page.heading("Plimsoll: a payments gateway, from a CI build to a signed trusted release", options.Place)
	for _, chapter := range []func(context.Context) error{
		s.arrive,
		s.foundProject, s.registerApplications, s.bindPackages, s.trustSigners, s.handOutTokens, s.setPolicies,
		s.build, s.report, s.takePartnerDocuments, s.showOwners,
		s.enterDev, s.enterQA, s.standBeforeStaging, s.tryUnknownSigner, s.enterStaging,
		s.tryWithoutRight, s.release,
		s.lookBack, s.prove,
	} {
		if err := chapter(ctx); err != nil {
			return s.result, fmt.Errorf("step %d (%s): %w", s.page.step, s.page.title, err)
		}
	}
	s.result.Elapsed = time.Since(start)
	s.page.write(fmt.Sprintf("\nDone in %.1f s: %d components, %d pieces of evidence, %d events in the log.\n",
		s.result.Elapsed.Seconds(), s.result.Components, s.result.Evidence, s.result.Events))
	return s.result, s.page.err
}

// makeKeys makes a P-256 key for everybody who signs in the story. They are written only to be read again: nobody needs
// them after the run.
func makeKeys() (map[string]*attest.Signer, error) {
	dir, err := os.MkdirTemp("", "plimsoll-demo-keys-")
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	keys := map[string]*attest.Signer{}
	for _, name := range []string{ciBuilder, qaLab, laptop} {
		if keys[name], _, err = attest.LoadOrCreateSigner(dir + "/" + name + ".key"); err != nil {
			break
		}
	}
	if removed := os.RemoveAll(dir); err == nil {
		err = removed
	}
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	return keys, nil
}

// name makes a name of the story unique on a server that others use.
func (s *story) name(plain string) string {
	if s.options.Run == "" {
		return plain
	}
	return plain + "-" + s.options.Run
}

// send shows an operation and sends it, and reads its data. Errors in the answer end the story.
func (s *story) send(ctx context.Context, who, operation string, variables object, into any) error {
	s.page.call(who, operation, variables, s.documents[operation])
	return s.sendQuietly(ctx, who, operation, variables, into)
}

// sendQuietly sends one more of a kind that was shown already.
func (s *story) sendQuietly(ctx context.Context, who, operation string, variables object, into any) error {
	a, err := s.ask(ctx, who, operation, variables)
	if err != nil {
		return err
	}
	if len(a.Errors) > 0 {
		return s.unexpected("was refused")
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return s.unexpected("cannot be read: %v", err)
	}
	return nil
}

// sendAll sends an operation for each of the inputs and shows the first.
func sendAll[T any](ctx context.Context, s *story, who, operation string, inputs []object) ([]T, error) {
	answers := make([]T, len(inputs))
	for i, input := range inputs {
		send := s.sendQuietly
		if i == 0 {
			send = s.send
		}
		if err := send(ctx, who, operation, object{{"input", input}}, &answers[i]); err != nil {
			return nil, err
		}
	}
	s.page.alike(operation, len(inputs)-1)
	return answers, nil
}

func (s *story) ask(ctx context.Context, who, operation string, variables object) (client.Answer, error) {
	document, ok := s.documents[operation]
	if !ok {
		return client.Answer{}, fmt.Errorf("there is no operation %s", operation)
	}
	a, err := s.server.With(s.tokens[who]).Send(ctx, client.Operation{Name: operation, Document: document, Variables: variables})
	s.sent, s.answer = operation, withoutSecrets(a.Raw)
	s.page.answered(s.answer)
	if err != nil {
		return a, fmt.Errorf("%s: %w", operation, err)
	}
	return a, nil
}

// withoutSecrets takes out of an answer what must not stand in a terminal or a CI log.
func withoutSecrets(raw []byte) []byte {
	return regexp.MustCompile(`("secret":\s*)"[^"]*"`).ReplaceAll(raw, []byte(`$1"(not shown)"`))
}

// unexpected says what is wrong with the last answer, and the answer.
func (s *story) unexpected(format string, args ...any) error {
	const most = 4000
	shown := string(s.answer)
	if len(shown) > most {
		shown = strings.ToValidUTF8(shown[:most], "") + "…"
	}
	return fmt.Errorf("%s %s; the answer: %s", s.sent, fmt.Sprintf(format, args...), shown)
}

// want fails unless got is what the story expects.
func (s *story) want(what, got, wanted string) error {
	if got != wanted {
		return s.unexpected("says that %s is %q, not %q", what, got, wanted)
	}
	return nil
}
