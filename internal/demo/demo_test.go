package demo_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/demo"
)

// server is a service as the command line starts it, on a database of its own.
type server struct{ url, token string }

func newServer(t *testing.T) server {
	t.Helper()
	cfg, err := config.Load([]string{"--data", t.TempDir()}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	s := httptest.NewServer(a.Handler())
	t.Cleanup(s.Close)
	return server{url: s.URL, token: a.BootstrapToken}
}

func (s server) options(t *testing.T, out io.Writer) demo.Options {
	t.Helper()
	return demo.Options{URL: s.url, Token: s.token, Place: "in a test", Dir: t.TempDir(), Tools: os.Getenv("PLIMSOLL_TOOLS"), Out: out}
}

func TestTheStoryEndsWithATrustedRelease(t *testing.T) {
	s := newServer(t)
	for _, run := range []string{"", "again"} { // twice on one server
		var out bytes.Buffer
		options := s.options(t, &out)
		options.Run = run
		got, err := demo.Run(t.Context(), options)
		if err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		if got.Trust != "TRUSTED_RELEASE" || got.Standing != "GOOD" || got.Version != "2.4.0" {
			t.Errorf("released as %s, %s, %s", got.Version, got.Trust, got.Standing)
		}
		// Five bills of materials and five provenances, two plain documents, two test reports.
		if got.Evidence != 14 {
			t.Errorf("%d pieces of evidence, want 14", got.Evidence)
		}
		if got.Components < 1000 || got.Events < 40 {
			t.Errorf("%d components and %d events are too few for this story", got.Components, got.Events)
		}
		if options.Tools != "" && len(got.Tools) != 2 {
			t.Errorf("of cosign and slsa-verifier, %d were asked", len(got.Tools))
		}
		tells(t, out.String())
		proves(t, options.Dir, got)
	}
}

// tells checks that the story shows what it is about.
func tells(t *testing.T, story string) {
	t.Helper()
	for _, want := range []string{
		"PROMOTE BLOCKED", "EVIDENCE_MISSING", "EVIDENCE_UNVERIFIED", "LICENSE_DENIED: pkg:npm/pm2@", "SECOND_PARTY", "team:platform",
		"FORBIDDEN", "dry run", "eval-release-", "cosign verify-blob-attestation", "slsa-verifier verify-vsa", "VERSION_RELEASED",
	} {
		if !strings.Contains(story, want) {
			t.Errorf("the story does not tell of %q", want)
		}
	}
	for _, secret := range []string{"\x1b[", "PRIVATE KEY", "Bearer "} {
		if strings.Contains(story, secret) {
			t.Errorf("the story shows %q", secret)
		}
	}
}

// proves verifies the files as somebody does who has nothing else.
func proves(t *testing.T, dir string, got demo.Result) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if digest := canonical.Digest(read("manifest.json")); digest != got.ManifestDigest {
		t.Errorf("the manifest's digest is %s, not %s", digest, got.ManifestDigest)
	}
	key, err := attest.ParsePublicKey(read("release.pub"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := attest.BundleEnvelope(read("release.sigstore.json"))
	if err != nil {
		t.Fatal(err)
	}
	vsa, err := attest.BundleEnvelope(read("vsa.sigstore.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(vsa, read("vsa.dsse.json")) {
		t.Error("vsa.dsse.json is not the envelope in vsa.sigstore.json")
	}
	for predicateType, envelope := range map[string][]byte{attest.PredicateVSA: vsa, attest.PredicateRelease: own} {
		env, err := attest.ParseEnvelope(envelope)
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "release", Key: key}})
		if err != nil || !verdict.Verified {
			t.Errorf("%s does not verify: %s %v", predicateType, verdict.Reason, err)
		}
		st, err := attest.ParseStatement(env.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if st.PredicateType != predicateType || len(st.Subject) != 8 { // the manifest and seven parts
			t.Errorf("a statement of type %s about %d subjects, want %s about 8", st.PredicateType, len(st.Subject), predicateType)
		}
	}
}

// liar passes requests on and changes words in the answers.
func liar(t *testing.T, truth server, old, changed string) server {
	t.Helper()
	target, err := url.Parse(truth.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		b = bytes.ReplaceAll(b, []byte(old), []byte(changed))
		r.Body = io.NopCloser(bytes.NewReader(b))
		r.ContentLength = int64(len(b))
		r.Header.Set("Content-Length", strconv.Itoa(len(b)))
		return nil
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return server{url: s.URL, token: truth.token}
}

func TestAnUnexpectedAnswerEndsTheStoryAndIsNamed(t *testing.T) {
	truth := newServer(t)
	for i, c := range []struct{ lie, old, changed, step string }{
		{"nothing is owned by another application", "SECOND_PARTY", "THIRD_PARTY", "Whose is what?"},
		{"a closed gate is open", `"decision":"FAIL"`, `"decision":"PASS"`, "The way into STAGING is closed"},
		{"an unknown key is trusted", `"verified":false`, `"verified":true`, "plain documents"},
		{"everybody may release", "FORBIDDEN", "CONFLICT", "CI may promote, but not release"},
		{"the release is not trusted", "TRUSTED_RELEASE", "RELEASED", "The release manager releases it"},
		{"the manifest is another", `\"schema\":\"plimsoll`, `\"schema\":\"plimsole`, "Whoever receives the release"},
		{"the release key is another", "BEGIN PUBLIC KEY-----\nM", "BEGIN PUBLIC KEY-----\nN", "Whoever receives the release"},
		{"the newest event is forgotten", "VERSION_RELEASED", "VERSION_PROMOTED", "Everything that happened"},
	} {
		t.Run(c.lie, func(t *testing.T) {
			options := liar(t, truth, c.old, c.changed).options(t, io.Discard)
			options.Run = "lie" + strconv.Itoa(i)
			_, err := demo.Run(t.Context(), options)
			if err == nil {
				t.Fatal("the story went on")
			}
			if !strings.Contains(err.Error(), "step ") || !strings.Contains(err.Error(), c.step) {
				t.Errorf("the step is not named: %v", err)
			}
		})
	}
}

func TestTheStoryDoesNotBeginWithoutAnAdmin(t *testing.T) {
	s := newServer(t)
	for name, c := range map[string]struct {
		answer, token, want string
	}{
		"an unknown token":      {"", "nobody-has-this-token", "UNAUTHENTICATED"},
		"a viewer":              {`{"data":{"viewer":{"principal":"eve","roles":[{"role":"VIEWER"}]}}}`, "t", `"eve" is none`},
		"a server that is none": {`<html>`, "t", "not GraphQL"},
		"an empty answer":       {`{}`, "t", "neither data nor errors"},
	} {
		t.Run(name, func(t *testing.T) {
			options := s.options(t, io.Discard)
			options.Token = c.token
			if c.answer != "" {
				other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if _, err := io.WriteString(w, c.answer); err != nil {
						t.Error(err)
					}
				}))
				defer other.Close()
				options.URL = other.URL
			}
			_, err := demo.Run(t.Context(), options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestVerboseShowsDocumentsAndAnswersInFull(t *testing.T) {
	var out bytes.Buffer
	options := newServer(t).options(t, &out)
	options.Verbose, options.Color = true, true
	if _, err := demo.Run(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mutation CreateProject ($input: CreateProjectInput!)", `"connectionLevel": "SECOND_PARTY"`, "fragment EvaluationReport", "\x1b[32m"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if shown, hidden := strings.Count(out.String(), `"secret": "`), strings.Count(out.String(), `"secret": "(not shown)"`); hidden != 3 || shown != hidden {
		t.Errorf("of the secrets of 3 tokens, %d are shown and %d are hidden", shown-hidden, hidden)
	}
}
